/** `../contract-large.ts` for WebAssembly, which is not asked to bisect graphs as large as that. */

import type { Graph } from '../graph.ts';
import type { Members } from '../rows.ts';
import type { Doubles, Ints, Nodes, Scratch, TieWeights } from './memory.ts';

export function contractLarge(
  graph: Graph,
  _clusterOf: Nodes,
  _members: Members,
  _pull: TieWeights,
  _seen: Ints,
  _rowStart: Nodes,
  _nodeWeight: Doubles,
  _heaviestUser: Doubles,
  _degree: TieWeights,
  _scratch: Scratch,
): Graph {
  assert(false);
  return graph;
}
