import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../config/random.ts';
import { nearestPlacement } from '../../runtime/balance.ts';
import { squaredMsPerCost } from '../../runtime/costs.ts';
import { type CarriedState, freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { certify } from '../../runtime/lp/certify.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { meetingAt, patience, type Step } from '../../runtime/meeting.ts';
import { buildModel, type Model, sharesOf, totalLoad } from '../../runtime/model.ts';
import { type Decision, solveFractions } from '../../runtime/solve.ts';
import {
  certifiedHere,
  inputsOf,
  installedEngines,
  matrixOf,
  PlainProgram,
  policyOf,
  statesWithout,
  tiesOf,
  topologyOf,
  uniform,
} from '../scene.ts';

const solve = await certifiedHere('highs');
const highs = await openEngine('highs');
const engines = await installedEngines();

/** Served in quarters: no two friends are nearly at the same share, so no bend is rounded. */
function randomInputs(seed: number, spec: Record<string, unknown>): RuntimeInputs {
  const random = seededRandom(seed);
  const edges = 2 + Math.floor(random() * 5);
  const capacities = Array.from({ length: 2 + Math.floor(random() * 3) }, () => uniform(random, 60, 300));
  const room = (0.75 * capacities.reduce((a, b) => a + b)) / edges;
  const demand = Array.from({ length: edges }, () => uniform(random, 1, room));
  const topology = topologyOf(edges, capacities, () => Math.round(uniform(random, 5, 200)));
  const served = matrixOf(demand.map(() => quarters(random, capacities.length)));
  return inputsOf(topology, demand, { policy: policyOf(spec), served, edgeTies: tiesOf(edges, random) });
}

function quarters(random: Random, datacenters: number): number[] {
  const row = new Array<number>(datacenters).fill(0);
  for (let i = 0; i < 4; i++) row[Math.floor(random() * datacenters)]! += 0.25;
  return row;
}

const everywhere = (inputs: RuntimeInputs): Float64Array => new Float64Array(inputs.topology.rttMs.length).fill(1);

function modelOf(inputs: RuntimeInputs): Model {
  const built = buildModel(inputs, everywhere(inputs));
  if (built.kind !== 'model') throw new Error(built.kind);
  return built.model;
}

/** Cost units: what all ties are worth that can meet, by the definition. */
function worthOf(inputs: RuntimeInputs, model: Model, at: Float64Array): number {
  let meet = 0;
  forPairs(inputs, (e, f, ties) => {
    for (let d = 0; d < model.datacenters; d++)
      meet += ties * Math.min(at[e * model.datacenters + d]!, at[f * model.datacenters + d]!);
  });
  return meet * priceOf(inputs);
}

function priceOf({ topology, policy, served, demandRps }: RuntimeInputs): number {
  const { localityPriceMs, objective } = policy.spec;
  if (objective !== 'balance') return (totalLoad * localityPriceMs) / 10;
  const total = demandRps.reduce((a, b) => a + b);
  const width = topology.datacenters.length;
  const meanMs = topology.rttMs.reduce(
    (sum, ms, i) => sum + (ms * served![i]! * demandRps[Math.floor(i / width)]!) / total,
    0,
  );
  return (totalLoad * 2 * meanMs * localityPriceMs) / squaredMsPerCost;
}

function forPairs({ edgeTies }: RuntimeInputs, visit: (e: number, f: number, ties: number) => void): void {
  const edges = Math.sqrt(edgeTies!.length);
  for (let e = 0; e < edges; e++)
    for (let f = e + 1; f < edges; f++) visit(e, f, edgeTies![e * edges + f]! + edgeTies![f * edges + e]!);
}

describe('the program', () => {
  /** Whole fractions, one row an edge, and for every pair and datacenter the overlap of each edge with where the other is,
   *  and with the further of the two. */
  async function plainMinimum(inputs: RuntimeInputs, model: Model, most: number): Promise<number> {
    const { edges, datacenters, load, capacity, rttCost, moveCost } = model;
    const lp = new PlainProgram();
    const served = inputs.served!;
    const columns = Array.from(served, (_, i) => {
      const units = load[Math.floor(i / datacenters)]!;
      return { share: lp.column(units * rttCost[i]!, 0, 1), gained: lp.column(units * moveCost[i]!, 0, 1) };
    });
    columns.forEach(({ share, gained }, i) => {
      const row = lp.row(Number.NEGATIVE_INFINITY, served[i]!);
      lp.put(row, share, 1);
      lp.put(row, gained, -1);
    });
    for (let e = 0; e < edges; e++) {
      const whole = lp.row(1, 1);
      for (let d = 0; d < datacenters; d++) lp.put(whole, columns[e * datacenters + d]!.share, 1);
    }
    for (let d = 0; d < datacenters; d++) {
      const full = lp.row(Number.NEGATIVE_INFINITY, most * capacity[d]!);
      for (let e = 0; e < edges; e++) lp.put(full, columns[e * datacenters + d]!.share, load[e]!);
    }
    const overlap = (i: number, upTo: number, worth: number): void => {
      const row = lp.row(Number.NEGATIVE_INFINITY, 0);
      lp.put(row, columns[i]!.share, -1);
      lp.put(row, lp.column(-worth, 0, upTo), 1);
    };
    let constant = 0;
    forPairs(inputs, (e, f, ties) => {
      const worth = ties * priceOf(inputs);
      for (let d = 0; d < datacenters; d++) {
        const [i, j] = [e * datacenters + d, f * datacenters + d];
        const further = Math.max(served[i]!, served[j]!);
        overlap(i, served[j]!, worth * (1 - patience));
        overlap(j, served[i]!, worth * (1 - patience));
        overlap(i, further, worth * patience);
        overlap(j, further, worth * patience);
        constant += worth * (1 - patience) * Math.min(served[i]!, served[j]!) + worth * patience * further;
      }
    });
    const program = lp.build();
    const certificate = certify(program, highs(program));
    if (certificate.kind !== 'certified') throw new Error(certificate.why);
    return certificate.objective + constant;
  }

  test.each([
    'balance',
    'closest-first',
  ])('is the one written out pair by pair, on 40 random instances of %s', async (objective) => {
    for (let seed = 0; seed < 40; seed++) {
      const inputs = randomInputs(seed, { objective, localityPriceMs: 30, movePriceMs: 2 });
      const model = modelOf(inputs);
      const levelMax = new Float64Array(model.datacenters).fill(0.9);
      let objectiveOfMoves = Number.NaN;
      const placement = await nearestPlacement(model, null, levelMax, async (program) => {
        const answer = await solve(program);
        objectiveOfMoves = answer!.objective;
        return answer;
      });
      const before = inputs.served!.reduce(
        (sum, share, i) => sum + share * model.load[Math.floor(i / model.datacenters)]! * model.rttCost[i]!,
        0,
      );
      const ours = before - worthOf(inputs, model, inputs.served!) + objectiveOfMoves;
      const plain = await plainMinimum(inputs, model, 0.9);
      expect(Math.abs(ours - plain) / Math.max(1, Math.abs(plain)), `seed ${seed}`).toBeLessThan(1e-7);
      expect(placement!.gained.every((load) => load >= 0)).toBe(true);
    }
  });

  test('with all of the worth paid for waiting, the steps never promise more than ties are worth, wherever load moves', () => {
    for (let seed = 0; seed < 60; seed++) {
      const inputs = randomInputs(seed, { localityPriceMs: 30 });
      const model = modelOf(inputs);
      const { arriving, leaving } = meetingAt([inputs], model.load, () => inputs.served!, 1)!;
      const random = seededRandom(`elsewhere ${seed}`);
      const taken = (steps: readonly Step[], load: number): number => {
        let [sum, rest] = [0, load];
        for (const { width, worth } of steps) {
          sum += worth * Math.min(width, rest);
          rest = Math.max(0, rest - width);
        }
        return sum;
      };
      for (let sample = 0; sample < 20; sample++) {
        const at = matrixOf(inputs.topology.edges.map(() => quarters(random, model.datacenters)));
        let promised = worthOf(inputs, model, inputs.served!);
        at.forEach((share, i) => {
          const moved = (share - inputs.served![i]!) * model.load[Math.floor(i / model.datacenters)]!;
          promised += moved > 0 ? taken(arriving[i]!, moved) : -taken(leaving[i]!, -moved);
        });
        expect(promised, `seed ${seed}`).toBeLessThanOrEqual(worthOf(inputs, model, at) + 1e-6);
      }
    }
  });

  test('is the same as ever where no policy pays or nothing is known of ties', async () => {
    const inputs = randomInputs(3, { localityPriceMs: 30 });
    const { edgeTies: _, ...unknown } = inputs;
    const unpaid: RuntimeInputs = { ...inputs, policy: policyOf() };
    expect(modelOf(unknown).meeting).toBeNull();
    expect(modelOf(unpaid).meeting).toBeNull();
    const decision = await solveFractions(unpaid, freshState, solve);
    expect(await solveFractions(unknown, freshState, solve)).toEqual(decision);
  });
});

/** Epochs of the same demand, each from what the last one wanted. */
async function epochs(inputs: RuntimeInputs, count: number, by = solve): Promise<Decision[]> {
  const decisions: Decision[] = [];
  let [served, carried]: [RuntimeInputs['served'], CarriedState] = [inputs.served, freshState];
  for (let epoch = 0; epoch < count; epoch++) {
    const decision = await solveFractions({ ...inputs, served }, carried, by);
    if (decision.kind === 'move') served = decision.wanted;
    carried = decision.carried;
    decisions.push(decision);
  }
  return decisions;
}

const wantedOf = (decisions: readonly Decision[]): Float64Array => {
  const last = decisions.findLast((decision) => decision.kind === 'move');
  if (!last) throw new Error('nothing moved');
  return last.wanted;
};

test('two edges that like each other’s datacenter as well as their own end in the same one and stay', async () => {
  const topology = topologyOf(2, [100, 100], (e, d) => (e === d ? 30 : 31));
  const policy = policyOf({
    objective: 'closest-first',
    localityPriceMs: 20,
    guards: { minShift: 0, churnMax: 1, onloadMax: 1 },
  });
  const edgeTies = Float64Array.of(0.25, 0.25, 0.25, 0.25);
  const served = matrixOf([
    [1, 0],
    [0, 1],
  ]);
  const decisions = await epochs(inputsOf(topology, [20, 20], { policy, edgeTies, served }), 20);
  const at = wantedOf(decisions);
  expect(Math.min(at[0]!, at[2]!) + Math.min(at[1]!, at[3]!)).toBeGreaterThan(0.95); // a fiftieth makes no difference
  expect(decisions.slice(-5).map(({ kind }) => kind)).toEqual(new Array(5).fill('unchanged'));
});

test('the first table and those after it let more ties meet the more they are worth, for more latency', async () => {
  const sums = { meet: [0, 0, 0], rttMs: [0, 0, 0] };
  for (let seed = 0; seed < 20; seed++) {
    for (const [k, localityPriceMs] of [0, 30, 300].entries()) {
      const inputs = { ...randomInputs(seed, { localityPriceMs }), served: null };
      const at = wantedOf(await epochs(inputs, 6));
      forPairs(inputs, (e, f, ties) => {
        const width = inputs.topology.datacenters.length;
        for (let d = 0; d < width; d++) sums.meet[k]! += ties * Math.min(at[e * width + d]!, at[f * width + d]!);
      });
      sums.rttMs[k]! += sharesOf(at, inputs.demandRps).reduce(
        (sum, _, i) =>
          sum +
          at[i]! * inputs.topology.rttMs[i]! * inputs.demandRps[Math.floor(i / inputs.topology.datacenters.length)]!,
        0,
      );
    }
  }
  expect(sums.meet[1]).toBeGreaterThan(sums.meet[0]! * 1.05);
  expect(sums.meet[2]).toBeGreaterThan(sums.meet[1]!);
  expect(sums.rttMs[2]).toBeGreaterThan(sums.rttMs[0]!);
});

test('no price makes friends meet where a limit says no: residency, pins, a dead datacenter, a cap on shares', async () => {
  const random = seededRandom('limits');
  const capacities = [200, 200, 200];
  const topology = topologyOf(4, capacities, (e, d) => 20 + 60 * Math.abs(e - d));
  const policy = policyOf({
    localityPriceMs: 1e6,
    allowed: [{ edge: 'e0', datacenters: ['d0', 'd1'] }],
    pins: [{ edge: 'e1', datacenter: 'd1', fraction: 0.25 }],
    guards: { churnMax: 1, onloadMax: 1, shareMax: 0.75 },
  });
  // Nearly all friends are of e3, most of whose users sleep.
  const edgeTies = tiesOf(4, random, (e, f) => (e === 3 || f === 3 ? 100 : 1));
  const dead = statesWithout(topology, 2);
  const inputs = inputsOf(topology, [80, 60, 40, 0.001], { policy, edgeTies });
  const first = wantedOf(await epochs(inputs, 3));
  const later = wantedOf(await epochs({ ...inputs, served: first, states: dead }, 4));
  for (const at of [first, later]) {
    expect(at[2]).toBe(0);
    expect(at[4]).toBeCloseTo(0.25, 6);
    for (const share of at) expect(share).toBeLessThanOrEqual(0.75 + 1e-6);
  }
  for (let e = 0; e < 4; e++) expect(later[3 * e + 2]).toBe(0);
});

test.skipIf(engines.length < 2)('both engines want the same millionths', async () => {
  const glpk = await certifiedHere('glpk');
  for (let seed = 0; seed < 15; seed++) {
    const inputs = { ...randomInputs(seed, { localityPriceMs: 40, guards: { minShift: 0 } }), served: null };
    const [a, b] = [await epochs(inputs, 4), await epochs(inputs, 4, glpk)];
    expect(
      a.map((one) => one.kind === 'move' && [...one.wanted]),
      `seed ${seed}`,
    ).toEqual(b.map((one) => one.kind === 'move' && [...one.wanted]));
  }
});
