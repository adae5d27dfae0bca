/** The first table of a fleet that comes aboard: buckets in the proportions that its load balancers have today. The epoch
 *  after it is then held by `churnMax` and the other guards, as any later one, where a first table of Taiji's own would
 *  send everybody where they should be at once.
 *  Users move all the same, once, when buckets take the place of weights: no table can tell whom a balancer's hash sends
 *  where. Switching edges one after the other spreads that. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { Policy } from '../../config/policy.ts';
import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { assign } from './assign.ts';
import type { BucketWeights } from './bucket-weights.ts';
import { openCeilings } from './ceilings.ts';
import { makeTargets, type RoutingTable } from './routing-table.ts';

export interface ImportInputs {
  readonly topology: Topology;
  readonly policy: Policy;
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly edgeLoad: Float64Array; // [edge] share of all demand
  readonly fractions: FractionMatrix; // today's
}

/** Also of datacenters that a policy would not use: it is what is, not what should be. */
export function importedTable({ topology, policy, tree, weights, edgeLoad, fractions }: ImportInputs): RoutingTable {
  const { assignment, segmentLevel } = policy.spec.buckets;
  return assign(assignment, {
    tree,
    weights,
    edgeLoad,
    wanted: fractions,
    ceilings: openCeilings(topology.edges.length, topology.datacenters.length),
    previous: null,
    targets: makeTargets(topology),
    edges: topology.edges.map(({ id }) => id),
    segmentLevel,
  }).table;
}
