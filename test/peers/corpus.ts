/** The linear programs of our class, as the runtime really builds them: seeded epochs of every size, kind and scale are
 *  planned with a solver that keeps what it is asked. Nothing here knows how a program is made, so a new objective or
 *  limit joins by a new policy in `policies`, and the engines are compared on it from then on. */

import type { Policy } from '../../config/policy.ts';
import { type Random, seededRandom } from '../../config/random.ts';
import { largestRemainder, ppmPerUnit } from '../../config/units.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import type { SolveCertified } from '../../runtime/lp/certified.ts';
import type { LinearProgram } from '../../runtime/lp/problem.ts';
import { type Decision, solveFractions, solveGroup } from '../../runtime/solve.ts';
import { inputsOf, policyOf, statesWithout, tiesOf, topologyOf, uniform } from '../scene.ts';

/** One epoch and every program it was planned with, those of the epoch before it included where there was one. */
export interface Instance {
  readonly name: string; // kind, policy, size, scale, seed: enough to make it again
  readonly kind: Kind;
  readonly inputs: RuntimeInputs;
  readonly decision: Decision;
  readonly programs: readonly LinearProgram[];
}

/** Policies every kind is planned under, in turn. */
const policies: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  default: {},
  strict: { guards: { balanceTolerance: 0, minShift: 0, damping: 1 } },
  guarded: { guards: { onloadMax: 0.01, churnMax: 0.01, minShift: 0 } },
  'closest-first': { objective: 'closest-first', utilizationMax: 0.8 },
  'closest-first-in-reach': { objective: 'closest-first', latencyMsMax: 150, guards: { minShift: 0 } },
  priced: { objective: 'priced' },
  sociable: { localityPriceMs: 100, guards: { minShift: 0 } },
  'sociable-closest-first': { objective: 'closest-first', utilizationMax: 0.8, localityPriceMs: 30 },
  'priced-guarded': {
    objective: 'priced',
    price: [
      [0.3, 5],
      [0.7, 50],
      [1, 1000],
    ],
    guards: { onloadMax: 0.02, churnMax: 0.02, minShift: 0 },
  },
  surviving: { objective: 'closest-first', emergencyMax: 0.9, guards: { minShift: 0 } },
  'nearly-all-near': { latencyMsP95Max: 120, guards: { minShift: 0 } },
};

const sizes = [
  [3, 2],
  [4, 3],
  [6, 3],
  [8, 5],
  [12, 5],
  [20, 8],
  [42, 10],
  [100, 20],
] as const;

const scalesRps = [1, 1e3, 1e5, 1e7] as const; // of all demand

/** What is particular about an epoch. `initial`: there is no table yet; all others start from served fractions. */
export const kinds = [
  'initial',
  'noisy', // what was optimal a moment ago
  'scattered', // far from the optimum: the guards bind
  'tied', // every edge and every datacenter alike
  'degenerate', // whole numbers, capacity exactly the demand, an edge without any
  'overloaded', // more demand than capacity
  'resident', // some edges may go to one or two datacenters only
  'share-capped', // at twentieths, so that equal units can meet the cap
  'pinned', // a part of some edges stands where it was put
  'without-a-datacenter',
  'sticky', // established sessions stay where they are
  'two-services', // that draw on the same cores, and on requests
] as const;

export type Kind = (typeof kinds)[number];

/** Seeds times kinds times sizes, the largest size with the first seed only, for it costs as much as all the others;
 *  policies and scales rotate through them. */
export async function corpus(solve: SolveCertified, seeds = 3): Promise<readonly Instance[]> {
  const instances: Instance[] = [];
  const policyNames = Object.keys(policies);
  for (let seed = 0; seed < seeds; seed++) {
    for (const [k, kind] of kinds.entries()) {
      for (const [s, [edges, datacenters]] of sizes.entries()) {
        if (seed > 0 && s === sizes.length - 1) continue;
        const policyName = policyNames[(seed + k + s) % policyNames.length]!;
        const scaleRps = scalesRps[(seed + 2 * k + s) % scalesRps.length]!;
        const draw: Draw = { kind, edges, datacenters, scaleRps, spec: policies[policyName]!, seed };
        const name = `${kind}, policy ${policyName}, ${edges}x${datacenters}, ${scaleRps} rps, seed ${seed}`;
        instances.push(await instanceOf(name, draw, solve));
      }
    }
  }
  return instances;
}

interface Draw {
  readonly kind: Kind;
  readonly edges: number;
  readonly datacenters: number;
  readonly scaleRps: number;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly seed: number;
}

async function instanceOf(name: string, draw: Draw, solve: SolveCertified): Promise<Instance> {
  const programs: LinearProgram[] = [];
  const recording: SolveCertified = (program) => {
    programs.push(program);
    return solve(program);
  };
  const inputs = await inputsFor(draw, recording);
  const [decision] = await solveGroup(
    draw.kind === 'two-services' ? withAnother(inputs, draw) : [inputs],
    [freshState, freshState],
    recording,
  );
  if (!decision) throw new Error(`${name}: no decision`);
  return { name, kind: draw.kind, inputs, decision, programs };
}

async function inputsFor(draw: Draw, solve: SolveCertified): Promise<RuntimeInputs> {
  const { kind, edges, datacenters, seed } = draw;
  const random = seededRandom(1_000_003 * seed + 1009 * edges + kinds.indexOf(kind));
  const demandRps = demandOf(draw, random);
  const topology = topologyOf(edges, capacitiesOf(draw, demandRps, random), rttOf(kind, edges, datacenters, random));
  const edgeTies = tiesOf(edges, seededRandom(`ties ${seed}`));
  const first = inputsOf(topology, demandRps, { policy: policyFor(draw, random), edgeTies });
  switch (kind) {
    case 'initial':
    case 'pinned':
      return first;
    case 'scattered':
    case 'share-capped':
      return { ...first, served: scatteredFractions(edges, datacenters, random) };
    case 'two-services':
      return first;
    case 'sticky': {
      const standing = scatteredFractions(edges, datacenters, random);
      const lives = uniform(random, 0.5, 0.95);
      const established = standing.map((share, i) => share * demandRps[Math.floor(i / datacenters)]! * lives);
      return { ...first, served: scatteredFractions(edges, datacenters, random), established };
    }
    case 'without-a-datacenter': {
      const dead = Math.floor(random() * datacenters);
      const served = scatteredFractions(edges, datacenters, random);
      return { ...first, served, states: statesWithout(topology, dead) };
    }
    case 'noisy':
    case 'tied':
    case 'degenerate':
    case 'overloaded':
    case 'resident': {
      const decision = await solveFractions(first, freshState, solve);
      if (decision.kind !== 'move') throw new Error(`the first epoch of ${kind}, seed ${seed}, is ${decision.kind}`);
      const noise = kind === 'tied' || kind === 'degenerate' ? 0 : 0.3;
      const later = Float64Array.from(first.demandRps, (rps) => rps * uniform(random, 1 - noise, 1 + noise));
      return { ...first, served: decision.wanted, demandRps: later };
    }
  }
}

/** The service, and one that needs more cores and fewer requests, both from where they are. */
function withAnother(inputs: RuntimeInputs, { edges, datacenters, spec, seed }: Draw): readonly RuntimeInputs[] {
  const random = seededRandom(`another ${seed} ${edges}`);
  const total = inputs.demandRps.reduce((a, b) => a + b, 0);
  const cores = Float64Array.from(inputs.topology.datacenters, () => uniform(random, 0.2, 1));
  const room = (2 * total) / cores.reduce((a, b) => a + b, 0);
  const topology = {
    ...inputs.topology,
    resources: [{ name: 'cores', capacity: cores.map((share) => share * room) }],
  };
  const served = scatteredFractions(edges, datacenters, random);
  const policies = [
    { requests: 1, cores: 0.4 },
    { requests: 0.2, cores: 1 },
  ].map((resources) => policyOf({ ...spec, resources }));
  return policies.map((policy, s) => ({
    ...inputs,
    topology,
    policy,
    served,
    demandRps: inputs.demandRps.map((rps) => (s === 0 ? rps : rps * uniform(random, 0.2, 0.8))),
  }));
}

function demandOf({ kind, edges, scaleRps }: Draw, random: Random): readonly number[] {
  const shares = Array.from({ length: edges }, (_, e) => {
    if (kind === 'tied') return 1;
    if (kind === 'degenerate') return e === 0 ? 0 : 1 + Math.floor(random() * 4);
    return 10 ** uniform(random, -1.5, 0);
  });
  const total = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => (share / total) * scaleRps);
}

function capacitiesOf(draw: Draw, demandRps: readonly number[], random: Random): readonly number[] {
  const { kind, datacenters } = draw;
  const total = demandRps.reduce((a, b) => a + b, 0);
  const room =
    kind === 'overloaded' ? uniform(random, 0.4, 0.9) : kind === 'degenerate' ? 1 : uniform(random, 1.1, 2.5);
  const shares = Array.from({ length: datacenters }, () => {
    if (kind === 'tied') return 1;
    if (kind === 'degenerate') return 1 + Math.floor(random() * 3);
    return uniform(random, 0.2, 1);
  });
  const all = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => (share / all) * room * total);
}

function rttOf(kind: Kind, edges: number, datacenters: number, random: Random): (e: number, d: number) => number {
  const rttMs = Array.from({ length: edges * datacenters }, () => {
    if (kind === 'tied') return 20;
    if (kind === 'degenerate') return 10 * (1 + Math.floor(random() * 3));
    return uniform(random, 2, 250);
  });
  return (e, d) => rttMs[e * datacenters + d]!;
}

function policyFor({ kind, edges, datacenters, spec }: Draw, random: Random): Policy {
  const name = (letter: string, index: number, count: number): string =>
    `${letter}${String(index).padStart(String(count - 1).length, '0')}`;
  if (kind === 'resident') {
    const allowed = Array.from({ length: Math.ceil(edges / 3) }, (_, i) => {
      const [a, b] = [Math.floor(random() * datacenters), Math.floor(random() * datacenters)];
      const few = [...new Set([a, b])].map((d) => name('d', d, datacenters));
      return { edge: name('e', 3 * i, edges), datacenters: few };
    });
    return policyOf({ ...spec, allowed });
  }
  if (kind === 'pinned') {
    const pins = Array.from({ length: Math.ceil(edges / 3) }, (_, i) => ({
      edge: name('e', 3 * i, edges),
      datacenter: name('d', Math.floor(random() * datacenters), datacenters),
      fraction: Math.floor(4 * random()) / 4,
    }));
    return policyOf({ ...spec, pins });
  }
  if (kind === 'sticky') return policyOf({ ...spec, traffic: { kind: 'sticky', sessionLifetime: '30m' } });
  if (kind === 'share-capped') {
    const guards = (spec['guards'] ?? {}) as Readonly<Record<string, unknown>>;
    return policyOf({
      ...spec,
      guards: { ...guards, shareMax: Math.ceil(20 * uniform(random, 1 / datacenters, 0.9)) / 20 },
    });
  }
  return policyOf(spec);
}

/** Every edge on one to three datacenters, whichever. */
function scatteredFractions(edges: number, datacenters: number, random: Random): FractionMatrix {
  const served = new Float64Array(edges * datacenters);
  for (let e = 0; e < edges; e++) {
    const shares = new Float64Array(datacenters);
    for (let i = 0; i < 3; i++) shares[Math.floor(random() * datacenters)]! += random();
    largestRemainder(shares, ppmPerUnit).forEach((ppm, d) => {
      served[e * datacenters + d] = ppm / ppmPerUnit;
    });
  }
  return served;
}
