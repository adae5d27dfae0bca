import { expect, test } from 'vitest';
import { seededRandom } from '../../config/random.ts';
import type { Topology } from '../../config/topology.ts';
import { freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { groupsOf } from '../../runtime/pools.ts';
import { type Decision, solveGroup } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, matrixOf, PlainProgram, policyOf, topologyOf, uniform } from '../scene.ts';

function withResources(topology: Topology, resources: Readonly<Record<string, readonly number[]>>): Topology {
  const named = Object.entries(resources).map(([name, capacity]) => ({
    name,
    capacity: Float64Array.from(capacity),
  }));
  return { ...topology, resources: named };
}

async function solved(services: readonly RuntimeInputs[]): Promise<readonly Decision[]> {
  return solveGroup(
    services,
    services.map(() => freshState),
    await certifiedHere('highs'),
  );
}

/** [d] utilization of a resource by all services together. */
function utilizationOf(
  services: readonly RuntimeInputs[],
  fractions: readonly Float64Array[],
  costs: readonly number[],
  capacity: readonly number[],
): number[] {
  const width = capacity.length;
  return capacity.map((has, d) => {
    let used = 0;
    services.forEach(({ demandRps }, s) => {
      demandRps.forEach((rps, e) => {
        used += rps * costs[s]! * fractions[s]![e * width + d]!;
      });
    });
    return used / has;
  });
}

/** The textbook program: minimise u, every edge of every service placed, every pool at most u. */
async function plainLevel(
  services: readonly RuntimeInputs[],
  pools: readonly { costs: readonly number[]; capacity: readonly number[] }[],
): Promise<number> {
  const lp = new PlainProgram();
  const level = lp.column(1, 0, 1e6);
  const rows = pools.map(({ capacity }) =>
    capacity.map((has) => {
      const row = lp.row(Number.NEGATIVE_INFINITY, 0);
      lp.put(row, level, -has);
      return row;
    }),
  );
  services.forEach(({ demandRps, topology }, s) => {
    demandRps.forEach((rps) => {
      const whole = lp.row(1, 1);
      topology.datacenters.forEach((_, d) => {
        const column = lp.column(0, 0, 1);
        pools.forEach(({ costs }, r) => {
          if (costs[s]! > 0) lp.put(rows[r]![d]!, column, rps * costs[s]!);
        });
        lp.put(whole, column, 1);
      });
    });
  });
  const answer = (await openEngine('highs'))(lp.build());
  expect(answer.status).toBe('optimal');
  return answer.columns[level]!;
}

test('services that share resources come to the lowest level of the textbook program, on 40 random instances', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = seededRandom(seed);
    const edges = 1 + Math.floor(random() * 4);
    const width = 2 + Math.floor(random() * 3);
    const capacityRps = Array.from({ length: width }, () => uniform(random, 100, 400));
    const cores = Array.from({ length: width }, () => uniform(random, 2, 9));
    const topology = withResources(topologyOf(edges, capacityRps), { cores });
    const costs = Array.from({ length: 3 }, () => ({
      requests: random() < 0.7 ? uniform(random, 0.2, 3) : 0,
      cores: uniform(random, 0.001, 0.05),
    }));
    const services = costs.map(({ requests, cores: each }) =>
      inputsOf(
        topology,
        Array.from({ length: edges }, () => uniform(random, 1, 90)),
        {
          policy: policyOf({
            resources: { ...(requests > 0 && { requests }), cores: each },
            guards: { balanceTolerance: 0 },
          }),
        },
      ),
    );
    const decisions = await solved(services);
    const pools = [
      { costs: costs.map(({ requests }) => requests), capacity: capacityRps },
      { costs: costs.map(({ cores: each }) => each), capacity: cores },
    ];
    const fractions = decisions.map((decision) => (decision.kind === 'held' ? matrixOf([]) : decision.solved));
    const highest = Math.max(
      ...pools.flatMap(({ costs, capacity }) => utilizationOf(services, fractions, costs, capacity)),
    );
    const least = await plainLevel(services, pools);
    expect(Math.abs(highest / least - 1), `seed ${seed}: ${highest} against ${least}`).toBeLessThan(2e-5);
  }
});

test('the unit in which a resource is counted changes nothing', async () => {
  const at = (scale: number): readonly RuntimeInputs[] => {
    const topology = withResources(topologyOf(3, [100, 200, 150]), { cores: [8 * scale, 4 * scale, 9 * scale] });
    return [0.02, 0.05].map((cost) =>
      inputsOf(topology, [40, 70, 20], { policy: policyOf({ resources: { requests: 1, cores: cost * scale } }) }),
    );
  };
  const fractionsAt = async (scale: number) =>
    (await solved(at(scale))).map((decision) => (decision.kind === 'move' ? [...decision.wanted] : []));
  expect(await fractionsAt(1024)).toEqual(await fractionsAt(1));
});

test('a service alone and the same service beside one that draws on nothing of its own are routed alike', async () => {
  const topology = withResources(topologyOf(3, [100, 200, 150]), { cores: [8, 4, 9] });
  const policy = policyOf({ resources: { cores: 0.05 } });
  const web = inputsOf(topology, [40, 70, 20], { policy });
  const idle = inputsOf(topology, [0, 0, 0], { policy });
  const [alone] = await solved([web]);
  const [beside] = await solved([web, idle]);
  if (alone!.kind !== 'move' || beside!.kind !== 'move') throw new Error('no move');
  alone!.wanted.forEach((fraction, i) => {
    expect(Math.abs(fraction - beside!.wanted[i]!)).toBeLessThan(2e-5);
  });
});

test('a service that is not due is fixed load: it stays, and the others make room for it', async () => {
  const topology = topologyOf(2, [100, 100]);
  const served = matrixOf([
    [1, 0],
    [1, 0],
  ]);
  const policy = policyOf({ guards: { minShift: 0, damping: 1, onloadMax: 1, churnMax: 1, balanceTolerance: 0 } });
  const waiting = inputsOf(topology, [20, 20], { policy, served, isDue: false });
  const due = inputsOf(topology, [20, 20], { policy, served });
  const [first, second] = await solved([waiting, due]);
  expect(first).toMatchObject({ kind: 'unchanged' });
  if (second!.kind !== 'move') throw new Error(second!.kind);
  for (const e of [0, 1]) expect(second!.wanted[2 * e + 1]).toBeCloseTo(1, 5);
});

test('each service keeps to its own churnMax', async () => {
  const topology = topologyOf(2, [100, 100]);
  const served = matrixOf([
    [1, 0],
    [1, 0],
  ]);
  const at = (churnMax: number) =>
    inputsOf(topology, [20, 20], {
      served,
      policy: policyOf({ guards: { minShift: 0, damping: 1, onloadMax: 1, churnMax } }),
    });
  const [slow, fast] = await solved([at(0.02), at(0.3)]);
  const moved = (decision: Decision): number =>
    decision.kind === 'move' ? (decision.wanted[1]! + decision.wanted[3]!) / 2 : 0;
  expect(moved(slow!)).toBeCloseTo(0.02, 5);
  expect(moved(fast!)).toBeCloseTo(0.3, 5);
});

test('services form groups by the resources they share, near and far', () => {
  const of = (resources?: Readonly<Record<string, number>>) => ({
    topology: topologyOf(1, [1]),
    policy: policyOf(resources ? { resources } : {}),
  });
  const cores = of({ cores: 1 });
  const both = of({ cores: 2, memory: 1 });
  const memory = of({ memory: 3 });
  const disks = of({ disks: 1 });
  expect(groupsOf([of(), disks, cores, of(), memory])).toEqual([[0, 3], [1], [2], [4]]);
  expect(groupsOf([cores, disks, memory, both])).toEqual([[0, 2, 3], [1]]);
});
