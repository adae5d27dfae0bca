/** Server-sent events: one `epoch` event an epoch, with its number as id, so that a client that was away is told what
 *  it missed (as far as the history goes). */

import type { Request, Response } from 'express';
import type { EpochHistory } from '../epoch-history.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import { HttpProblem } from '../problem.ts';

const clientsMax = 256;
const aliveMs = 15_000; // a comment this often keeps proxies from closing a quiet stream

export class EventStream {
  readonly #clients = new Set<Response>();
  readonly #history: EpochHistory;
  readonly #alive: NodeJS.Timeout;

  constructor(history: EpochHistory) {
    this.#history = history;
    this.#alive = setInterval(() => this.#write(': alive\n\n'), aliveMs);
    this.#alive.unref();
  }

  join(request: Request, response: Response): void {
    if (this.#clients.size >= clientsMax) {
      throw new HttpProblem(503, `${clientsMax} clients listen already; try again later`, { 'Retry-After': '30' });
    }
    response.status(200);
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 2000\n\n');
    const last = Number(request.get('Last-Event-ID') ?? Number.NaN);
    if (Number.isInteger(last)) for (const epoch of this.#history.after(last, 288)) response.write(eventOf(epoch));
    this.#clients.add(response);
    response.on('close', () => this.#clients.delete(response));
  }

  send(epoch: EpochSummary): void {
    this.#write(eventOf(epoch));
  }

  close(): void {
    clearInterval(this.#alive);
    for (const client of this.#clients) client.end();
    this.#clients.clear();
  }

  /** A client too slow to take what it is sent is let go: it comes back and asks for what it missed. */
  #write(text: string): void {
    for (const client of this.#clients) {
      if (client.writableLength > 1_000_000) client.destroy();
      else client.write(text);
    }
  }
}

function eventOf(epoch: EpochSummary): string {
  return `event: epoch\nid: ${epoch.epoch}\ndata: ${JSON.stringify(epoch)}\n\n`;
}
