/** A policy's assertions from the command line on a small world: exit codes, lines, JSON. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { filesOf, jsonOf, plan, replay, world } from './dry-runs.ts';

const holding = 'utilizationMax < 2';
const failing = 'datacentersInUse > 3';

test('a replay in which an assertion fails ends with 3, says it in one line and in the report', async () => {
  const files = filesOf(world, { assert: [holding, failing] });
  const [json, html] = ['r.json', 'r.html'].map((name) => join(files.world, '..', name)) as [string, string];
  const { out, exitCode } = await replay(files, '--report', json, '--report', html);
  expect(exitCode).toBe(3);
  const lines = out.split('\n').filter((line) => line.startsWith('assertion'));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^assertion failed: datacentersInUse > 3: [123] at \S+Z in 3 epochs, worst [123] at \S+Z$/);
  const { assertions, epochs } = JSON.parse(readFileSync(json, 'utf8'));
  expect(assertions).toMatchObject([
    { assertion: holding, holds: true },
    { assertion: failing, holds: false, failedEpochs: 3, first: { time: epochs[0].time } },
  ]);
  expect(readFileSync(html, 'utf8')).toContain('datacentersInUse &#62; 3: failed');
  expect((await jsonOf(replay(files, '-o', 'json'))).assertions).toEqual(assertions);
});

test('a replay whose assertions hold ends with 0, and the report lists them', async () => {
  const files = filesOf(world, { assert: [holding, 'heldEpochs == 0'] });
  const { out, exitCode } = await replay(files);
  expect(exitCode).toBe(0);
  expect(out).not.toContain('assertion');
});

test('a rise in a replay is over the policy of --against; without one it is said and ends with 3', async () => {
  const files = filesOf(world, { guards: { shareMax: 0.6 }, assert: ['rttMsMean rise < 0', 'rttMsMean rise < 10000'] });
  const against = await replay(files, '--against', filesOf().policy);
  expect(against.exitCode).toBe(3);
  expect(against.out.match(/^assertion failed: .*$/gm)).toHaveLength(1);
  const alone = await replay(files);
  expect(alone.exitCode).toBe(3);
  expect(alone.out).toContain(
    'assertion not judged: rttMsMean rise < 0: nothing to compare with; give --against POLICY',
  );
});

test('a plan is held to the assertions too, its rise over the table of --previous', async () => {
  const files = filesOf(world, { assert: ['churn rise == 0', 'utilizationMax rise < -1'] });
  const before = join(files.world, '..', 'before.json');
  const first = await plan(files, '--out', before);
  expect(first.exitCode).toBe(3);
  expect(first.out).toContain('nothing to compare with; give --previous PLAN');
  expect(JSON.parse(readFileSync(before, 'utf8')).assertions).toMatchObject([{ holds: null }, { holds: null }]);
  const second = await plan(files, '--previous', before);
  expect(second.exitCode).toBe(3);
  expect(second.out).toMatch(/^assertion failed: utilizationMax rise < -1: 0 at \S+Z$/m);
  expect(second.out).not.toContain('churn rise == 0:');
});

test('edits of --what-if are judged: an assertion may fail because of them', async () => {
  const files = filesOf(world, { assert: ['utilizationMax < 1'] });
  expect((await plan(files)).exitCode).toBe(0);
  expect((await plan(files, '--what-if', 'demand.*=50')).exitCode).toBe(3);
});
