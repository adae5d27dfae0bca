/** An audit of a tree by another method: Louvain communities (Blondel et al. 2008), found without knowing the tree, should
 *  lie in one segment each wherever they fit. Packing communities into buckets would be the simpler bucketizer, and a
 *  poor one (leaf locality .090 against .445 on a friendship graph of 47,538 users): they are of all sizes and say
 *  nothing about each other. graphology costs some 450 bytes a tie, so larger graphs go unaudited. */

import { UndirectedGraph } from 'graphology';
import louvainModule from 'graphology-communities-louvain';
import type { Random } from '../config/random.ts';
import { type Graph, sumOf } from './multilevel/graph.ts';
import { imbalanceMax } from './multilevel/half.ts';

// The package's types describe an ES module; what Node loads is CommonJS, whose default export is the function itself.
const louvain = louvainModule as unknown as typeof louvainModule.default;

/** A bound for memory and patience: at every size tried the audit takes about one and a half times what the tree does
 *  (facebook_combined .38 s and .27 s, deezer_hu 1.27 s and .85 s), and on deezer_hu's 222,887 ties 136 MB more. */
const auditTiesMax = 300_000;

export interface CommunityAudit {
  readonly communities: number; // of at least two users
  readonly modularity: number;
  readonly levels: readonly CommunityLevel[]; // root first
}

export interface CommunityLevel {
  readonly level: number;
  readonly fitting: number; // communities no heavier than a segment of this level may be
  readonly whole: number | null; // 0..1, share of those whose users are all in one segment; null where none fits
  readonly together: number | null; // 0..1, their user weight in the segment that has most of it; null where none fits, or they weigh nothing
}

/** Null where the graph is too large. Whoever wants an audit hands this in: others need not load graphology. */
export type Auditor = (graph: Graph, leafOf: Uint32Array, height: number, random: Random) => CommunityAudit | null;

export const auditCommunities: Auditor = (graph, leafOf, height, random) => {
  if (graph.neighbour.length / 2 > auditTiesMax) return null;
  const found = louvainCommunities(graph, random);
  const members = new Map<number, number[]>();
  for (let v = 0; v < graph.nodeCount; v++) {
    if (!hasTies(graph, v)) continue; // alone
    const community = found.communityOf[v]!;
    const others = members.get(community);
    if (others === undefined) members.set(community, [v]);
    else others.push(v);
  }
  const communities = [...members.values()].filter((users) => users.length > 1);
  return {
    communities: communities.length,
    modularity: found.modularity,
    levels: Array.from({ length: height + 1 }, (_, level) => auditLevel(graph, leafOf, height, level, communities)),
  };
};

/** Louvain's communities of `graph`, [node] = community, below the number of nodes, and their modularity; 450 bytes a tie.
 *  Nodes without ties are each alone, whatever Louvain is asked, so it is not asked about them: they may be millions. */
export function louvainCommunities(graph: Graph, random: Random): { communityOf: Uint32Array; modularity: number } {
  const found = louvain.detailed(asGraphology(graph), {
    // all given: the default generator is Math.random
    getEdgeWeight: 'weight',
    fastLocalMoves: true,
    randomWalk: true,
    resolution: 1,
    rng: random,
  });
  let communities = found.count;
  return {
    communityOf: Uint32Array.from({ length: graph.nodeCount }, (_, v) => found.communities[v] ?? communities++),
    modularity: Number.isFinite(found.modularity) ? found.modularity : 0, // 0/0 without ties
  };
}

function auditLevel(
  graph: Graph,
  leafOf: Uint32Array,
  height: number,
  level: number,
  communities: readonly (readonly number[])[],
): CommunityLevel {
  const room = ((1 + imbalanceMax) * sumOf(graph.nodeWeight)) / (1 << level);
  let fitting = 0;
  let whole = 0;
  let weightAll = 0;
  let weightTogether = 0;
  for (const users of communities) {
    const inSegment = new Map<number, number>();
    let weight = 0;
    for (const v of users) {
      const segment = leafOf[v]! >>> (height - level);
      inSegment.set(segment, (inSegment.get(segment) ?? 0) + graph.nodeWeight[v]!);
      weight += graph.nodeWeight[v]!;
    }
    if (weight > room) continue;
    fitting++;
    if (inSegment.size === 1) whole++;
    weightAll += weight;
    weightTogether += [...inSegment.values()].reduce((most, part) => Math.max(most, part), 0);
  }
  return {
    level,
    fitting,
    whole: fitting === 0 ? null : whole / fitting,
    together: weightAll === 0 ? null : weightTogether / weightAll,
  };
}

function asGraphology(graph: Graph): UndirectedGraph {
  const made = new UndirectedGraph({ allowSelfLoops: false });
  for (let v = 0; v < graph.nodeCount; v++) if (hasTies(graph, v)) made.addNode(v);
  for (let v = 0; v < graph.nodeCount; v++) {
    for (let k = graph.rowStart[v]!; k < graph.rowStart[v + 1]!; k++) {
      const u = graph.neighbour[k]!;
      if (u > v) made.addEdge(v, u, { weight: graph.tieWeight[k]! });
    }
  }
  return made;
}

function hasTies(graph: Graph, v: number): boolean {
  return graph.rowStart[v]! < graph.rowStart[v + 1]!;
}
