/** Server-sent events: one `epoch` event an epoch and service. Its id says which epoch that is, of each service where
 *  there are several (`chat=7,web=9`), so that a client that was away is told what it missed (as far as the history
 *  goes), whichever of the services it was of. */

import type { Request, Response } from 'express';
import type { EpochHistory } from '../epoch-history.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import { HttpProblem } from '../problem.ts';

const clientsMax = 256;
const aliveMs = 15_000; // a comment this often keeps proxies from closing a quiet stream

interface Client {
  readonly response: Response;
  readonly service: string | null; // null: all
}

export class EventStream {
  readonly #clients = new Set<Client>();
  readonly #histories: ReadonlyMap<string, EpochHistory>;
  readonly #last = new Map<string, number>(); // service -> epoch last told
  readonly #alive: NodeJS.Timeout;

  /** By service, in their order. */
  constructor(histories: ReadonlyMap<string, EpochHistory>) {
    this.#histories = histories;
    for (const [service, history] of histories) this.#last.set(service, history.latest?.epoch ?? -1);
    this.#alive = setInterval(() => this.#write(': alive\n\n', null), aliveMs);
    this.#alive.unref();
  }

  /** `service` null: events of all. */
  join(request: Request, response: Response, service: string | null): void {
    if (this.#clients.size >= clientsMax) {
      throw new HttpProblem(503, `${clientsMax} clients listen already; try again later`, { 'Retry-After': '30' });
    }
    response.status(200);
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 2000\n\n');
    const last = this.#lastHeard(request.get('Last-Event-ID') ?? '');
    const heard = new Map([...this.#last, ...last]);
    for (const [name, epoch] of last) {
      if (service !== null && name !== service) continue;
      for (const missed of this.#histories.get(name)!.after(epoch, 288)) {
        heard.set(name, missed.epoch);
        response.write(eventOf(name, missed, idOf(heard)));
      }
    }
    const client = { response, service };
    this.#clients.add(client);
    response.on('close', () => this.#clients.delete(client));
  }

  send(service: string, epoch: EpochSummary): void {
    this.#last.set(service, epoch.epoch);
    this.#write(eventOf(service, epoch, idOf(this.#last)), service);
  }

  /** By service; empty where the id is none of ours. A bare number is of every service. */
  #lastHeard(id: string): ReadonlyMap<string, number> {
    if (/^\d{1,15}$/.test(id)) return new Map([...this.#histories.keys()].map((name) => [name, Number(id)]));
    const heard = id.split(',').flatMap((part): [string, number][] => {
      const at = part.lastIndexOf('=');
      const name = part.slice(0, Math.max(0, at));
      return this.#histories.has(name) && /^-?\d{1,15}$/.test(part.slice(at + 1))
        ? [[name, Number(part.slice(at + 1))]]
        : [];
    });
    return new Map(heard);
  }

  close(): void {
    clearInterval(this.#alive);
    for (const { response } of this.#clients) response.end();
    this.#clients.clear();
  }

  /** A client too slow to take what it is sent is let go: it comes back and asks for what it missed. */
  #write(text: string, service: string | null): void {
    for (const client of this.#clients) {
      if (service !== null && client.service !== null && client.service !== service) continue;
      if (client.response.writableLength > 1_000_000) client.response.destroy();
      else client.response.write(text);
    }
  }
}

function idOf(epochs: ReadonlyMap<string, number>): string {
  if (epochs.size === 1) return String([...epochs.values()][0]);
  return [...epochs].map(([service, epoch]) => `${service}=${epoch}`).join(',');
}

function eventOf(service: string, epoch: EpochSummary, id: string): string {
  return `event: epoch\nid: ${id}\ndata: ${JSON.stringify({ service, ...epoch })}\n\n`;
}
