/** What-if from the command line on a small world: a plan or replay of edited inputs is that of a world and a policy
 *  written with those edits, which is the slow plain way to ask. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { World } from '../../../config/world.ts';
import { replayCommand } from '../../../pipeline/cli/replay.ts';
import { filesOf, jsonOf, plan, replay, run, world } from './dry-runs.ts';

const { topology } = world;
const [d0, d1, d2] = topology.datacenters.map(({ id }) => id) as string[] as [string, string, string];
const e0: string = topology.edges[0]!.id;

/** In JSON of nothing but figures in groups. */
const somethingButZero = /:(?!0[,}]|\{)/;

/** Written with capacity of d0 halved, demand of all times 1.1 and churnMax 0.02. */
const edits = `capacity.${d0}*=0.5,demand.*=1.1,policy.guards.churnMax=0.02`;
const editedWorld: World = {
  ...world,
  topology: {
    ...topology,
    datacenters: topology.datacenters.map((dc, d) => (d === 0 ? { ...dc, capacityRps: dc.capacityRps * 0.5 } : dc)),
  },
  demand: { ...world.demand, rps: world.demand.rps.map((rps) => rps * 1.1) },
};
const editedSpec = { guards: { churnMax: 0.02 } };

test('a plan with edits is the plan of the world and policy written with them, beside the one without', async () => {
  const files = filesOf();
  const plain = await jsonOf(plan(files, '-o', 'json'));
  const written = await jsonOf(plan(filesOf(editedWorld, editedSpec), '-o', 'json'));
  const asked = await jsonOf(plan(files, '-o', 'json', '--what-if', edits));
  const { whatIf, checksum, ...rest } = asked;
  const { checksum: writtenChecksum, ...writtenRest } = written;
  expect(rest).toEqual(writtenRest);
  expect(checksum).not.toBe(writtenChecksum); // it covers the scores
  const { score, ...without } = whatIf.without;
  expect(plain).toMatchObject(without);
  expect(Object.keys(without)).toContain('served');
  expect(whatIf.edits).toEqual([`capacity.${d0} *= 0.5`, 'demand.* *= 1.1', 'policy.guards.churnMax = 0.02']);
  expect(whatIf.alone.map(({ edit }: { edit: string }) => edit)).toEqual(whatIf.edits);

  const highest = (of: { utilization: Record<string, number> }): number => Math.max(...Object.values(of.utilization));
  expect(score.goals.utilizationMax).toBe(highest(plain));
  expect(whatIf.together.score.goals.utilizationMax).toBe(highest(written));
  expect(whatIf.together.change.utilizationMax).toBeCloseTo(highest(written) - highest(plain), 9);
  expect(whatIf.alone[1].score.goals.utilizationMax).toBeCloseTo(highest(plain) * 1.1, 2);
  expect(whatIf.alone[2].change).toEqual({
    utilizationMax: 0,
    rttMs: { mean: 0, p95: 0 },
    churn: { forced: 0, elective: 0, deferred: 0 },
    connectionLocality: 0,
  }); // no guard binds the first table
});

test('an emptied datacenter is forced churn in its row and in no other', async () => {
  const files = filesOf();
  const before = join(files.world, '..', 'before.json');
  await plan(files, '--out', before);
  const asked = ['--previous', before, '--what-if', `state.${d1}.keep=0,rtt.*.*=1`];
  const { whatIf, utilization } = await jsonOf(plan(files, ...asked, '-o', 'json'));
  expect(utilization[d1]).toBe(0);
  expect(whatIf.alone[0].change.churn.forced).toBeGreaterThan(0.05);
  expect(whatIf.alone[1].change.churn.forced).toBe(0);
  expect(whatIf.movedShare).toBeGreaterThan(0.05);
  const { out } = await plan(files, ...asked);
  expect(out).toMatch(/^without edits .* unchanged \(min-shift\)$/m);
  expect(out).toMatch(new RegExp(`^state\\.${d1}\\.keep = 0 .* published`, 'm'));
  expect(out).toMatch(/^rtt\.\*\.\* \*= 1( +0){7} +unchanged/m);
  expect(out).toMatch(/^with all edits .* published/m);
  expect(out).toMatch(/^Of demand, served elsewhere than without edits: \d+\.\d\d %\.$/m);
});

test('edits that change nothing give the plan without them, every figure unmoved', async () => {
  const files = filesOf();
  const plain = await jsonOf(plan(files, '-o', 'json'));
  const asked = await jsonOf(
    plan(files, '-o', 'json', '--what-if', `demand.*=1,state.${d0}.keep=1,policy.movePriceMs+=0`),
  );
  const { whatIf, checksum: _, ...rest } = asked;
  const { checksum: __, ...plainRest } = plain;
  expect(JSON.stringify(rest)).toBe(JSON.stringify(plainRest));
  expect(whatIf.movedShare).toBe(0);
  for (const { change } of [...whatIf.alone, whatIf.together]) {
    expect(JSON.stringify(change)).not.toMatch(somethingButZero);
  }
});

test('an edit that cannot stand alone says why in its row', async () => {
  const list = `policy.allowed=[{ edge: ${e0}, datacenters: [${d0}] }]`;
  const whatIf = `${list},policy.allowed.0.datacenters=[${d1}]`;
  const asked = await jsonOf(plan(filesOf(), '-o', 'json', '--what-if', whatIf));
  expect(Object.keys(asked.served[e0])).toEqual([d1]);
  expect(asked.whatIf.alone[1].refused).toMatch(/^--what-if: character \d+: spec\.allowed is a list of 0/);
  expect((await plan(filesOf(), '--what-if', whatIf)).out).toContain('  not alone: --what-if: character ');
});

test('exit status: 2 where something would change and it was asked, 3 where the edited plan is held', async () => {
  const files = filesOf();
  expect((await plan(files, '--what-if', 'demand.*=2')).exitCode).toBe(0);
  expect((await plan(files, '--what-if', 'demand.*=2', '--detailed-exitcode')).exitCode).toBe(2);
  const dead = await plan(files, '--what-if', 'state.*.keep=0');
  expect(dead.exitCode).toBe(3);
  expect(dead.out).toContain('held (100 % of all capacity failed at once');
  expect(dead.out).toContain('nothing to compare: a plan has no table');
});

test('edits are refused before anything is planned or written', async () => {
  const files = filesOf();
  const out = join(files.world, '..', 'plan.json');
  await expect(plan(files, '--out', out, '--what-if', `capacity.${d2}x=1`)).rejects.toThrow(
    `--what-if: character 1: unknown datacenter "${d2}x" (did you mean "${d2}"?)`,
  );
  expect(() => readFileSync(out)).toThrow('no such file');
  await expect(replay(files, '--what-if', '')).rejects.toThrow('--what-if: character 1: no edit');
  await expect(run(replayCommand(), '--world', files.world, '--policy', files.policy, '--accept')).rejects.toThrow(
    '--accept: goes with --journal',
  );
  await expect(run(replayCommand(), '--journal', 'j.jsonl', '--what-if', 'demand.*=2')).rejects.toThrow(
    '--what-if: a journal is replayed as it was',
  );
  await expect(run(replayCommand(), '--journal', 'j.jsonl', '--against', files.policy)).rejects.toThrow(
    '--against: a journal is replayed as it was',
  );
});

test('a replay with edits is the replay of the world and policy written with them', async () => {
  const asked = await jsonOf(replay(filesOf(), '-o', 'json', '--what-if', edits));
  const written = await jsonOf(replay(filesOf(editedWorld, editedSpec), '-o', 'json'));
  const { whatIf, ...summary } = asked;
  expect(summary).toEqual(written);
  expect(whatIf).toHaveLength(3);
});

test('a state held by an edit holds in every epoch of a replay', async () => {
  const files = filesOf();
  const report = join(files.world, '..', 'report.json');
  await replay(files, '--what-if', `state.${d1}.keep=0`, '--report', report);
  const { epochs } = JSON.parse(readFileSync(report, 'utf8'));
  expect(epochs).toHaveLength(3);
  for (const { utilization } of epochs) expect(utilization[d1]).toBe(0);
});

test('against another policy: its summary is that of its own replay, and the change is the difference', async () => {
  const files = filesOf();
  const other = filesOf(world, { guards: { churnMax: 0.001 }, utilizationMax: 0.9 });
  const [json, html] = ['both.json', 'both.html'].map((name) => join(files.world, '..', name)) as [string, string];
  const { out } = await replay(files, '--against', other.policy, '--report', json, '--report', html);
  const { summary, against } = JSON.parse(readFileSync(json, 'utf8'));
  expect(summary).toEqual(await jsonOf(replay(files, '-o', 'json')));
  expect(against.summary).toEqual(await jsonOf(replay(other, '-o', 'json')));
  expect(against.change.rttMs.mean).toBeCloseTo(summary.rttMs.mean - against.summary.rttMs.mean, 8);
  expect(against.change.epochs).toBe(0);
  expect(out).toMatch(/^ +this policy +against +change$/m);
  expect(readFileSync(html, 'utf8')).toContain('Against another policy');
});

test('against itself nothing differs; edits of the world hold for both, those of the policy for one', async () => {
  const files = filesOf();
  const same = await jsonOf(replay(files, '-o', 'json', '--against', files.policy, '--what-if', 'demand.*=1.2'));
  expect(same.against.summary.tablesSha256).toBe(same.tablesSha256);
  expect(JSON.stringify(same.against.change)).not.toMatch(somethingButZero);
  const differing = ['--against', files.policy, '--what-if', 'demand.*=1.2,policy.guards.shareMax=0.6'];
  const edited = await jsonOf(replay(files, '-o', 'json', ...differing));
  expect(edited.against.summary).toEqual(same.against.summary);
  expect(edited.tablesSha256).not.toBe(same.tablesSha256);
});
