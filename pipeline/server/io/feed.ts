/** What edges fetch, ready to send: each body with its ETags and its gzip form made once a change, its signed envelope
 *  renewed every epoch, and the requests that wait for the next change. */

import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { CompiledBody } from '../../table/compile.ts';

const compress = promisify(gzip);

export type Encoding = 'identity' | 'gzip';

export interface FedTable {
  readonly sha256: string; // of the body: what the edge acknowledges
  readonly version: number; // of the snapshot
  readonly identity: Buffer;
  readonly gzip: Buffer;
  readonly envelope: string; // base64url JSON
}

/** One tag an encoding: a strong tag promises the same bytes. */
export function etagOf(table: FedTable, encoding: Encoding): string {
  return encoding === 'gzip' ? `"${table.sha256}-gzip"` : `"${table.sha256}"`;
}

export class Feed {
  #tables: ReadonlyMap<string, FedTable> = new Map();
  readonly #waiting = new Map<string, Set<() => void>>(); // edge -> wake-ups

  get isEmpty(): boolean {
    return this.#tables.size === 0;
  }

  /** Requests waiting for a change. */
  get waiting(): number {
    let count = 0;
    for (const wakeUps of this.#waiting.values()) count += wakeUps.size;
    return count;
  }

  get(edge: string): FedTable | null {
    return this.#tables.get(edge) ?? null;
  }

  /** All edges at once; then those whose body changed are woken. */
  async put(
    bodies: readonly CompiledBody[],
    version: number,
    envelopeOf: (body: CompiledBody) => string,
  ): Promise<void> {
    const before = this.#tables;
    const tables = await Promise.all(
      bodies.map(async (body): Promise<[string, FedTable]> => {
        const same = before.get(body.edge);
        const envelope = envelopeOf(body);
        if (same?.sha256 === body.version) return [body.edge, { ...same, version, envelope }];
        const identity = Buffer.from(body.body);
        return [body.edge, { sha256: body.version, version, identity, gzip: await compress(identity), envelope }];
      }),
    );
    this.#tables = new Map(tables);
    for (const [edge, table] of tables) if (before.get(edge)?.sha256 !== table.sha256) this.#wake(edge);
  }

  /** Resolves when the edge's body changes, after `waitMs`, or when `gone` is aborted. */
  change(edge: string, waitMs: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wakeUps = this.#waiting.get(edge) ?? new Set();
      this.#waiting.set(edge, wakeUps);
      const done = (): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', done);
        wakeUps.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      gone.addEventListener('abort', done);
      wakeUps.add(done);
      if (gone.aborted) done();
    });
  }

  #wake(edge: string): void {
    for (const wakeUp of [...(this.#waiting.get(edge) ?? [])]) wakeUp();
  }
}
