import { expect, test } from 'vitest';
import { certify, objectiveOf } from '../../runtime/lp/certify.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import { certifiedHere, installedEngines } from '../scene.ts';
import { corpus, type Instance, kinds } from './corpus.ts';
import { bestSingleMoves } from './local-search.ts';

const solve = await certifiedHere('highs');
const oneSeed = await corpus(solve, 1);
const engines = await installedEngines();

test('the corpus holds every kind at every size, with and without guards that bind, and no instance without programs', () => {
  expect(oneSeed.length).toBeGreaterThanOrEqual(80); // the peers solve three seeds, over 200
  expect(new Set(oneSeed.map(({ kind }) => kind))).toEqual(new Set(kinds));
  expect(new Set(oneSeed.map(({ name }) => name)).size).toBe(oneSeed.length);
  for (const { name, programs } of oneSeed) expect(programs.length, name).toBeGreaterThanOrEqual(1);
  const total = (instance: Instance): number => instance.inputs.demandRps.reduce((a, b) => a + b, 0);
  expect(Math.min(...oneSeed.map(total))).toBeLessThan(2);
  expect(Math.max(...oneSeed.map(total))).toBeGreaterThan(8e6);
});

test('the same seed gives the same programs', async () => {
  const smallest = (await corpus(solve, 1)).map(({ programs }) => programs[0]!);
  expect(smallest).toEqual(oneSeed.map(({ programs }) => programs[0]!));
});

test.skipIf(engines.length < 2)(
  'both engines find the same minimum of every program, and both are certified',
  async () => {
    const [a, b] = [await openEngine('highs'), await openEngine('glpk')];
    for (const { name, programs } of oneSeed) {
      for (const [p, program] of programs.entries()) {
        const [first, second] = [a(program), b(program)];
        expect(certify(program, first), `highs: ${name}, program ${p}`).toMatchObject({ kind: 'certified' });
        expect(certify(program, second), `glpk: ${name}, program ${p}`).toMatchObject({ kind: 'certified' });
        const minimum = objectiveOf(program, first.columns);
        const difference = Math.abs(minimum - objectiveOf(program, second.columns));
        expect(difference / Math.max(1, Math.abs(minimum)), `${name}, program ${p}`).toBeLessThanOrEqual(1e-7);
      }
    }
  },
);

test('local search by best single moves never beats the program', () => {
  const units = 20;
  const gaps: number[] = [];
  for (const { name, kind, inputs, decision } of oneSeed) {
    const { topology, policy, states, demandRps } = inputs;
    const { edges, datacenters } = topology;
    // The search knows neither pins nor sessions nor other services, nor how far one may go where nothing is near enough.
    if (edges.length > 12 || decision.kind === 'held') continue;
    if (['pinned', 'sticky', 'two-services'].includes(kind) || policy.spec.emergencyMax !== null) continue;
    if (policy.spec.latencyMsP95Max !== null) continue;
    if (decision.relaxed.includes('latencyMsMax')) continue;
    const allowed = new Map<string, readonly string[]>(
      policy.spec.allowed.map((rule) => [rule.edge, rule.datacenters] as const),
    );
    const rttMsMax = policy.spec.latencyMsMax ?? Number.POSITIVE_INFINITY;
    const searched = bestSingleMoves(
      {
        demand: [...demandRps],
        capacity: datacenters.map(({ capacityRps }) => capacityRps),
        mayHold: (e, d) =>
          states[d]!.keep === 1 &&
          topology.rttMs[e * datacenters.length + d]! <= rttMsMax &&
          (allowed.get(edges[e]!.id)?.includes(datacenters[d]!.id) ?? true),
        unitsMax: Math.round(policy.spec.guards.shareMax * units),
      },
      units,
    );
    if (searched === null) continue; // an edge with nothing near enough
    const highest = Math.max(...decision.levels);
    expect(searched, name).toBeGreaterThanOrEqual(highest - 1e-5 * Math.max(1, highest));
    gaps.push(searched / highest - 1);
  }
  expect(gaps.length).toBeGreaterThanOrEqual(30);
  gaps.sort((a, b) => a - b);
  const percent = (gap: number): string => `${(100 * gap).toFixed(2)} %`;
  process.stdout.write(
    `best single moves, ${units} units an edge, ${gaps.length} instances: over the optimum by ` +
      `${percent(gaps[gaps.length >> 1]!)} in the median, ${percent(gaps.at(-1)!)} at most\n`,
  );
});
