/** The bytes of a few tables and edge bodies by heart: whichever machine, Node version or order of the tests. Where the
 *  algorithm is changed on purpose they change, and recorded epochs no longer replay: say so in the changelog. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type AssignmentKind, assign } from '../../../pipeline/table/assign.ts';
import { compileTable, makeFallbacks } from '../../../pipeline/table/compile.ts';
import { pace } from '../../../pipeline/table/pace.ts';
import type { RoutingTable } from '../../../pipeline/table/routing-table.ts';
import { drift, makeInstance, without } from './instance.ts';

test.each<[AssignmentKind, string]>([
  ['friends', '48e0b4d811232937'],
  ['segments', '574c085470590f79'],
])('tables and bodies made by %s are the same to the byte', (kind, expected) => {
  const hash = createHash('sha256');
  for (const weights of ['even', 'sparse', 'one-heavy'] as const) {
    const instance = makeInstance(11, { edges: 3, datacenters: 5, height: 10, weights });
    const fallbacks = makeFallbacks(instance.topology, 10, instance.ceilings);
    let previous: RoutingTable | null = null;
    let fractions = instance.wanted;
    for (let epoch = 0; epoch < 5; epoch++) {
      const inputs = { ...instance, ...without(fractions, 5, epoch === 3 ? [1] : []), previous };
      const target = assign(kind, inputs).table;
      const table: RoutingTable =
        previous === null ? target : pace({ ...inputs, previous, target, churnMax: 0.05 }).table;
      for (const { version } of compileTable(table, fallbacks).bodies) hash.update(version);
      fractions = drift(instance.random, fractions, 5, 0.1);
      previous = table;
    }
  }
  expect(hash.digest('hex').slice(0, 16)).toBe(expected);
});
