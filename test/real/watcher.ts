/** What the edges of a small setting are given by a control plane that is killed and started again, and are held to. */

import { createHash, createPublicKey, verify } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Snapshot } from '../../pipeline/publish/snapshot.ts';
import { canonicalEnvelope } from '../../pipeline/table/compile.ts';
import { service } from '../pipeline/server/small-setting.ts';

/** A table: SHA-256 of the body of each edge, in their order. */
export function tableOf({ bodies }: Snapshot): string {
  return bodies.map(({ version }) => version).join(' ');
}

/** The edges' view: what they were given last, which nothing may take back, and which must be of one whole table. */
export class Watcher {
  readonly #edges: readonly string[];
  readonly #tables: readonly string[];
  readonly #seen = new Map<string, { term: number; sequence: number; version: number }>();
  readonly #given = new Map<number, Map<string, string>>(); // version -> edge -> SHA-256
  newest = 0; // version

  /** `tables`: all that may ever be published, as `tableOf` has them. */
  constructor(edges: readonly string[], tables: readonly string[]) {
    this.#edges = edges;
    this.#tables = tables;
  }

  async look(url: string): Promise<void> {
    const [key] = JSON.parse(await (await fetch(`${url}/v1/keys`)).text()).keys;
    for (const edge of this.#edges) {
      const reply = await fetch(`${url}/v1/services/${service}/edges/${edge}/table`);
      if (reply.status === 503) continue; // nothing yet
      const body = await reply.text();
      const told = JSON.parse(Buffer.from(reply.headers.get('taiji-envelope')!, 'base64url').toString('utf8'));
      const { signature, ...envelope } = told;
      const signed = Buffer.from(canonicalEnvelope(envelope));
      expect(verify(null, signed, createPublicKey(key.pem), Buffer.from(signature, 'base64'))).toBe(true);
      expect(createHash('sha256').update(body).digest('hex')).toBe(told.bodySha256);
      const version = Number(reply.headers.get('taiji-version'));
      this.#expectWhole(version, edge, told.bodySha256);
      const before = this.#seen.get(edge) ?? { term: 0, sequence: 0, version: 0 };
      const order = told.term - before.term || told.sequence - before.sequence;
      expect(order, `${edge} was given an older envelope`).toBeGreaterThanOrEqual(0);
      expect(version, `${edge} went back`).toBeGreaterThanOrEqual(before.version);
      this.#seen.set(edge, { term: told.term, sequence: told.sequence, version });
      this.newest = Math.max(this.newest, version);
    }
  }

  #expectWhole(version: number, edge: string, sha256: string): void {
    const given = this.#given.get(version) ?? new Map<string, string>();
    this.#given.set(version, given.set(edge, sha256));
    const fits = (table: string): boolean => {
      const bodies = table.split(' ');
      return [...given].every(([id, of]) => bodies[this.#edges.indexOf(id)] === of);
    };
    expect(this.#tables.some(fits), `what edges have of version ${version} is of one table`).toBe(true);
  }

  /** Again and again, until the server is gone. */
  async watch(url: string): Promise<void> {
    for (;;) {
      const gone = await this.look(url).then(
        () => false,
        (error: Error) => {
          if (error.name === 'AssertionError') throw error;
          return true;
        },
      );
      if (gone) return;
      await sleep(5);
    }
  }
}
