/** Small settings for tests of the runtime and the loop: places, policy, a tree, and the engines in this thread. */

import { bucketize } from '../bucketizer/bucketize.ts';
import type { BucketTree } from '../bucketizer/tree.ts';
import { datacenterId, edgeId } from '../config/ids.ts';
import { type Policy, policySchema } from '../config/policy.ts';
import { type Random, seededRandom } from '../config/random.ts';
import { makeTopology, type Topology } from '../config/topology.ts';
import type { FractionMatrix } from '../runtime/fractions.ts';
import { type DatacenterState, normalState, type RuntimeInputs } from '../runtime/inputs.ts';
import { ProgramBuilder } from '../runtime/lp/builder.ts';
import { certifiedBy, type SolveCertified } from '../runtime/lp/certified.ts';
import { openEngine } from '../runtime/lp/engines.ts';
import type { EngineName, LinearProgram, Solver } from '../runtime/lp/problem.ts';

/** Edges e0, e1, ..; datacenters d0, d1, .. with the given capacities; rtt by default grows with |e - d|. */
export function topologyOf(
  edges: number,
  capacityRps: readonly number[],
  rttMs: (e: number, d: number) => number = (e, d) => 10 + 20 * Math.abs(e - d),
): Topology {
  const edgeIds = Array.from({ length: edges }, (_, e) => edgeId(name('e', e, edges), 'test'));
  const datacenterIds = capacityRps.map((_, d) => datacenterId(name('d', d, capacityRps.length), 'test'));
  return makeTopology(
    edgeIds.map((id) => ({ id, city: id, lat: 0, lon: 0 })),
    datacenterIds.map((id, d) => ({ id, lat: 0, lon: 0, capacityRps: capacityRps[d]! })),
    edgeIds.flatMap((edge, e) => datacenterIds.map((datacenter, d) => ({ edge, datacenter, rttMs: rttMs(e, d) }))),
    'test',
  );
}

/** Names sort as their numbers do. */
function name(letter: string, index: number, count: number): string {
  return `${letter}${String(index).padStart(String(count - 1).length, '0')}`;
}

export function policyOf(spec: Record<string, unknown> = {}): Policy {
  return policySchema.parse({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'test' }, spec });
}

export function inputsOf(
  topology: Topology,
  demandRps: readonly number[],
  more: Partial<Omit<RuntimeInputs, 'topology' | 'demandRps'>> = {},
): RuntimeInputs {
  return {
    topology,
    policy: policyOf(),
    startMs: 0,
    demandRps: Float64Array.from(demandRps),
    states: topology.datacenters.map(() => normalState),
    served: null,
    frozen: false,
    ...more,
  };
}

/** All normal but the named ones, which keep nothing. */
export function statesWithout(topology: Topology, ...dead: readonly number[]): readonly DatacenterState[] {
  return topology.datacenters.map((_, d) =>
    dead.includes(d) ? { keep: 0, refill: false, cause: 'abnormal', untilMs: null } : normalState,
  );
}

export function matrixOf(rows: readonly (readonly number[])[]): FractionMatrix {
  return Float64Array.from(rows.flat());
}

/** Users u0, u1, .. with random ties, in buckets. */
export function treeOf(users: number, height: number, seed: number): BucketTree {
  const random = seededRandom(seed);
  const ties = Uint32Array.from({ length: users * 6 }, () => Math.floor(random() * users));
  const ids = Array.from({ length: users }, (_, u) => `u${u}`);
  return bucketize({ users: ids, userWeights: null, ties, tieWeights: null }, { height, seed }).tree;
}

export async function engineHere(engine: EngineName): Promise<Solver> {
  const solve = await openEngine(engine);
  return { name: engine, solve: async (program, prices) => solve(program, prices) };
}

/** Fails the test where an answer cannot be certified. */
export async function certifiedHere(engine: EngineName): Promise<SolveCertified> {
  return certifiedBy([await engineHere(engine)], (doubt) => {
    throw new Error(`${doubt.engine}: ${doubt.why}`);
  });
}

/** Both engines, or HiGHS alone where glpk.js was taken out, which is said once. */
export async function installedEngines(): Promise<readonly EngineName[]> {
  try {
    await openEngine('glpk');
    return ['highs', 'glpk'];
  } catch {
    process.stderr.write('glpk.js is not installed: tests run on HiGHS alone\n');
    return ['highs'];
  }
}

/** A program as textbooks write it: rows and columns in any order, entries last. */
export class PlainProgram {
  readonly #columns: { cost: number; lower: number; upper: number; entries: [row: number, value: number][] }[] = [];
  readonly #lp = new ProgramBuilder();

  column(cost: number, lower: number, upper: number): number {
    return this.#columns.push({ cost, lower, upper, entries: [] }) - 1;
  }

  row(lower: number, upper: number): number {
    return this.#lp.row(lower, upper);
  }

  put(row: number, column: number, value: number): void {
    this.#columns[column]!.entries.push([row, value]);
  }

  build(): LinearProgram {
    for (const { cost, lower, upper, entries } of this.#columns) {
      this.#lp.column(cost, lower, upper);
      for (const [row, value] of entries) this.#lp.put(row, value);
    }
    return this.#lp.build();
  }
}

export function uniform(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** [e * E + f] symmetric, sums to 1. Most ties are inside edges. */
export function tiesOf(
  edges: number,
  random: Random,
  weight: (e: number, f: number) => number = (e, f) => (e === f ? edges : 1),
): Float64Array {
  const ties = new Float64Array(edges * edges);
  for (let e = 0; e < edges; e++) {
    for (let f = 0; f <= e; f++) {
      const value = weight(e, f) * (0.1 + random());
      ties[e * edges + f] = value;
      ties[f * edges + e] = value;
    }
  }
  const all = ties.reduce((a, b) => a + b, 0);
  return ties.map((value) => value / all);
}
