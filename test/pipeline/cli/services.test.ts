/** Plans and explanations of two services that share the datacenters, from the command line on a small world: "web" of
 *  requests, "chat" of sessions, both drawing on capacity_rps and chat on memory besides. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import { formatTime } from '../../../config/duration.ts';
import { readPolicy } from '../../../config/load.ts';
import type { World } from '../../../config/world.ts';
import { explainCommand } from '../../../pipeline/cli/explain.ts';
import { planCommand } from '../../../pipeline/cli/plan.ts';
import { freshState, planGroup } from '../../../pipeline/epoch.ts';
import { bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { cellTies } from '../../../pipeline/table/cell-ties.ts';
import { normalState } from '../../../runtime/inputs.ts';
import { engineHere } from '../../scene.ts';
import { type Files, filesOf, jsonOf, run, world } from './dry-runs.ts';

const t = 100;
const { topology, demand } = world;
const edges = topology.edges.length;
const ids = topology.datacenters.map(({ id }) => id);
const part = (service: string, share: number) => ({ service, rps: demand.rps.map((rps) => rps * share) });
const [ofChat, ofWeb] = [part('chat', 0.25), part('web', 0.5)];
const shared: World = {
  ...world,
  topology: {
    ...topology,
    resources: [
      { name: 'memory', capacity: Float64Array.from(topology.datacenters, ({ capacityRps }) => capacityRps * 2) },
    ],
  },
  services: [ofChat, ofWeb],
  demand: { ...demand, rps: ofChat.rps.map((rps, i) => rps + ofWeb.rps[i]!) },
};

let files: Files;
let flags: readonly string[];
/** Writes world, tree and policies, until the test is over. */
function written(): void {
  files = filesOf(shared);
  const policyOf = (service: string, spec: object): string => {
    const file = join(dirname(files.world), `${service}.yaml`);
    writeFileSync(file, stringify({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service }, spec }));
    return file;
  };
  const chat = policyOf('chat', {
    traffic: { kind: 'sticky', sessionLifetime: '30m' },
    resources: { requests: 1, memory: 4 },
  });
  const web = policyOf('web', { resources: { requests: 1 } });
  const at = formatTime(demand.timesMs[t]!);
  flags = ['--world', files.world, '--policy', web, '--policy', chat, '--tree', files.tree, '--at', at];
}

const plan = (...more: string[]) => run(planCommand(), ...flags, ...more);
const highest = (of: { utilization: Record<string, number> }): number => Math.max(...Object.values(of.utilization));

test('services that share are planned in one program, each with all fields of a plan, and what they share beside', async () => {
  written();
  const file = await jsonOf(plan('-o', 'json'));
  expect(Object.keys(file)).toEqual(['time', 'services', 'shared', 'checksum']);
  expect(Object.keys(file.services)).toEqual(['chat', 'web']);
  const tree = readTree(files.tree);
  const weights = bucketWeights(shared.topology, tree, shared.users);
  const context = { tree, weights, cellTies: cellTies(shared, tree, weights), solver: await engineHere('highs') };
  const plans = await planGroup(
    ['chat', 'web'].map((service, s) => ({
      context,
      inputs: {
        epoch: t,
        startMs: demand.timesMs[t]!,
        topology: shared.topology,
        policy: readPolicy(join(dirname(files.world), `${service}.yaml`)),
        demandRps: shared.services![s]!.rps.slice((t - 1) * edges, t * edges),
        states: ids.map(() => normalState),
        intents: [],
        previous: null,
        carried: freshState,
      },
    })),
  );
  for (const [s, service] of ['chat', 'web'].entries()) {
    const one = file.services[service];
    expect(Object.keys(one)).toEqual([
      ...['outcome', 'reason', 'relaxed', 'solved', 'wanted', 'served', 'utilization', 'churn'],
      ...['diff', 'table', 'assertions'],
    ]);
    expect(one.outcome).toBe('initial');
    ids.forEach((id, d) => {
      expect(one.utilization[id]).toBeCloseTo(plans[s]!.utilization[d]!, 9);
    });
  }
  expect(file.shared.groups).toEqual([['chat', 'web']]);
  const [requests, memory] = file.shared.utilization;
  expect([requests.resource, requests.services]).toEqual(['requests', ['chat', 'web']]);
  expect([memory.resource, memory.services]).toEqual(['memory', ['chat']]);
  for (const id of ids) {
    const { chat, web } = file.services;
    expect(web.utilization[id]).toBeCloseTo(requests.utilization[id], 6);
    expect(chat.utilization[id]).toBeCloseTo(Math.max(requests.utilization[id], memory.utilization[id]), 6);
  }
  const text = (await plan()).out;
  expect(text).toMatch(
    /^service chat\n[\s\S]*\nservice web\n[\s\S]*\nall services\ntogether {5}chat, web\nrequests {5}/,
  );
  expect(text).toContain(`checksum     ${file.checksum}`);
});

test('a plan of both is the table before for the next, of both and of no one else', async () => {
  written();
  const before = join(dirname(files.world), 'both.json');
  await plan('--out', before);
  const next = await jsonOf(plan('--previous', before, '-o', 'json'));
  for (const service of ['chat', 'web']) expect(next.services[service].outcome).toBe('unchanged');
  const lone = join(dirname(files.world), 'lone.json');
  const webAlone = [...flags.slice(0, 4), ...flags.slice(6)];
  await run(planCommand(), ...webAlone, '--out', lone);
  await expect(plan('--previous', lone)).rejects.toThrow(/a plan of one service; name one of the same services as now/);
  await expect(run(planCommand(), ...webAlone, '--previous', before)).rejects.toThrow(/a plan of several services/);
});

test('what-if edits are of the world of both, of a resource, or of one policy, and are scored for each service', async () => {
  written();
  const [first] = ids;
  const edits = `demand.*=1.2,capacity.${first}.memory=0.001,policy.web.latencyMsMax=500,policy.movePriceMs=2`;
  const file = await jsonOf(plan('--what-if', edits, '-o', 'json'));
  const { chat, web } = file.services;
  const texts = [
    'demand.* *= 1.2',
    `capacity.${first}.memory = 0.001`,
    'policy.web.latencyMsMax = 500',
    'policy.movePriceMs = 2',
  ];
  for (const { whatIf } of [chat, web]) {
    expect(whatIf.edits).toEqual(texts);
    expect(whatIf.alone.map(({ edit }: { edit: string }) => edit)).toEqual(texts);
  }
  // Hardly any memory there: sessions go elsewhere, requests take their place.
  const shareOf = ({ served }: { served: Record<string, Record<string, number>> }): number =>
    Object.values(served).reduce((sum, row) => sum + (row[first!] ?? 0), 0);
  expect(shareOf(chat)).toBeLessThan(0.01);
  expect(shareOf(web)).toBeGreaterThan(shareOf(web.whatIf.without));
  expect(highest(web.whatIf.without) * 1.1).toBeLessThan(highest(web));
  await expect(plan('--what-if', 'policy.web.utilizationMax=0.9')).rejects.toThrow(
    /policies "chat" and "web" draw on the same resources, but spec.utilizationMax is 1 in one and 0.9 in the other/,
  );
});

test('each policy is held to what it asserts of its own service', async () => {
  written();
  const web = flags[3]!;
  const asserting = join(dirname(files.world), 'asserting.yaml');
  const spec = { resources: { requests: 1 }, assert: ['utilizationMax < 0.01', 'datacentersInUse >= 1'] };
  writeFileSync(asserting, stringify({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'web' }, spec }));
  const { out, exitCode } = await run(
    planCommand(),
    ...flags.map((flag) => (flag === web ? asserting : flag)),
    '-o',
    'json',
  );
  const { services } = JSON.parse(out);
  expect(exitCode).toBe(3);
  expect(services.web.assertions.map(({ holds }: { holds: boolean }) => holds)).toEqual([false, true]);
  expect(services.chat.assertions).toEqual([]);
});

test('one of the services is explained as it was planned beside the others', async () => {
  written();
  const edge = topology.edges[0]!.id;
  const file = await jsonOf(plan('-o', 'json'));
  for (const service of ['chat', 'web']) {
    const explained = await jsonOf(run(explainCommand(), ...flags, '--service', service, '--edge', edge, '-o', 'json'));
    for (const { datacenter, served, utilization } of explained.datacenters) {
      expect(served).toBeCloseTo(file.services[service].served[edge][datacenter] ?? 0, 6);
      expect(utilization).toBeCloseTo(file.services[service].utilization[datacenter], 5);
    }
  }
  await expect(run(explainCommand(), ...flags, '--edge', edge)).rejects.toThrow(
    '--service: the policies are for chat, web, and none is named; name one',
  );
});
