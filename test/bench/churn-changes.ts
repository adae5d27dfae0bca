/** One edge, one change of weights, many random weight vectors: who moves under each way, beside the least that could.
 *  100,000 users where they are hashed, 16,384 equal buckets where there are tables. */

import { type Random, seededRandom } from '../../config/random.ts';
import { assign } from '../../pipeline/table/assign.ts';
import { makeInstance } from '../pipeline/table/instance.ts';
import { hashings } from './churn-hashing.ts';

export interface ChangeRow {
  readonly change: string;
  readonly datacenters: number;
  readonly need: number;
  readonly moved: Readonly<Record<string, number>>; // by way, mean
}

const vectors = 60;
const userCount = 100_000;

export function changeRows(): readonly ChangeRow[] {
  const random = seededRandom(1);
  const users = Uint32Array.from({ length: userCount }, () => Math.floor(random() * 2 ** 32));
  const changes: Readonly<Record<string, (weights: readonly number[], random: Random) => readonly number[]>> = {
    'one pair exchanges 2 %': exchanged,
    'one is drained': drained,
  };
  return Object.entries(changes).flatMap(([change, make]) =>
    [4, 8, 16].map((datacenters): ChangeRow => {
      const instance = makeInstance(1, { edges: 1, datacenters, height: 14, weights: 'even', segmentLevel: 7 });
      const moved: Record<string, number> = {};
      const add = (way: string, share: number): void => {
        moved[way] = (moved[way] ?? 0) + share / vectors;
      };
      let need = 0;
      for (let i = 0; i < vectors; i++) {
        const before = whole(Array.from({ length: datacenters }, () => 0.05 + random()));
        const after = make(before, random);
        need += after.reduce((sum, share, d) => sum + Math.abs(share - before[d]!), 0) / 2 / vectors;
        for (const [way, hashing] of Object.entries(hashings)) {
          add(way, unlike(hashing(before, users), hashing(after, users)));
        }
        for (const kind of ['segments', 'friends'] as const) {
          const start = { ...instance, wanted: Float64Array.from(before), localityBudget: 0 };
          const previous = assign(kind, start).table;
          const next = assign(kind, { ...start, previous, wanted: Float64Array.from(after) }).table;
          add(kind === 'friends' ? 'taiji' : 'segments, level 7', unlike(previous.byEdge[0]!, next.byEdge[0]!));
        }
      }
      return { change, datacenters, need, moved };
    }),
  );
}

function exchanged(weights: readonly number[], random: Random): readonly number[] {
  const from = weights.reduce((best, share, d) => (share > weights[best]! ? d : best), 0);
  const to = (from + 1 + Math.floor(random() * (weights.length - 1))) % weights.length;
  return weights.map((share, d) => (d === from ? share - 0.02 : d === to ? share + 0.02 : share));
}

function drained(weights: readonly number[], random: Random): readonly number[] {
  const out = Math.floor(random() * weights.length);
  return whole(weights.map((share, d) => (d === out ? 0 : share)));
}

function whole(weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

function unlike(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count += 1;
  return count / a.length;
}
