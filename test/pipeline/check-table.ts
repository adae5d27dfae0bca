/** The oracle of routing tables: what must hold of every table that is ever in force. */

import { expect } from 'vitest';
import type { BucketTree } from '../../bucketizer/tree.ts';
import type { Topology } from '../../config/topology.ts';
import type { RoutingTable } from '../../pipeline/table/routing-table.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';

/** Every bucket of every edge has exactly one target that exists, and none whose state keeps nothing. */
export function checkTable(
  table: RoutingTable,
  topology: Topology,
  tree: BucketTree,
  states: readonly DatacenterState[],
): void {
  expect(table.treeVersion).toBe(tree.version);
  expect(table.targets.map(({ datacenter }) => datacenter)).toEqual(topology.datacenters.map(({ id }) => id));
  expect(table.edges).toEqual(topology.edges.map(({ id }) => id));
  expect(table.byEdge.length).toBe(table.edges.length);
  for (const [e, assignment] of table.byEdge.entries()) {
    expect(assignment.length, table.edges[e]).toBe(2 ** tree.height);
    const used = new Set(assignment);
    for (const target of used) {
      expect(target, `${table.edges[e]}`).toBeLessThan(table.targets.length);
      expect(states[target]!.keep, `${table.edges[e]} on ${table.targets[target]!.datacenter}`).toBeGreaterThan(0);
    }
  }
}
