/** Which bucket of which edge goes to which target: the thing everything else is for. */

import type { DatacenterId, EdgeId } from '../../config/ids.ts';

/** A target, not a bare datacenter, so that a relayed path fits without a new wire format. */
export interface Target {
  readonly datacenter: DatacenterId;
  readonly via?: DatacenterId;
}

export interface RoutingTable {
  readonly treeVersion: string;
  readonly height: number; // buckets = 2^height
  readonly targets: readonly Target[]; // one a datacenter of the topology, in its order
  readonly edges: readonly EdgeId[]; // in topology order
  readonly byEdge: readonly Uint8Array[]; // [edge][bucket] = index into targets; never mutated once in a table
}
