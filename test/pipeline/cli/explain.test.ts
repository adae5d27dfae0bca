/** `taiji explain` on a small generated world in which one datacenter fails, for people and for programs. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../bucketizer/io/tree-file.ts';
import { formatTime } from '../../../config/duration.ts';
import { generateWorld } from '../../../config/generate.ts';
import { writeWorld } from '../../../config/load.ts';
import { explainCommand } from '../../../pipeline/cli/explain.ts';
import { planCommand } from '../../../pipeline/cli/plan.ts';
import type { Explanation } from '../../../pipeline/replay/explanation.ts';
import { scratchDirectory } from '../../config/small-world.ts';

const generated = generateWorld({ seed: 7, edges: 4, datacenters: 3, users: 400, days: 1 });
const { topology, demand } = generated;
const [before, at] = [formatTime(demand.timesMs[100]!), formatTime(demand.timesMs[101]!)];
const failing = topology.datacenters[0]!.id;
const world = {
  ...generated,
  events: [{ timeMs: demand.timesMs[101]!, datacenter: failing, state: 'abnormal' as const }],
};
const edge: string = topology.edges[0]!.id;

/** Flags that name world, policy and tree; gone after the test. */
function flagsOf(dir: string): string[] {
  writeWorld(join(dir, 'world'), world);
  const { users, friends } = world;
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  writeTree(join(dir, 'tree'), bucketize(input, { height: 6, seed: 1, effort: 'fast' }).tree);
  const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'web' } };
  writeFileSync(join(dir, 'policy.yaml'), stringify(policy));
  return ['--world', join(dir, 'world'), '--policy', join(dir, 'policy.yaml'), '--tree', join(dir, 'tree')];
}

/** In this process; what it printed. */
async function run(command: Command, ...args: string[]): Promise<string> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await command.parseAsync(args, { from: 'user' });
    return out.mock.calls.map(([text]) => text).join('');
  } finally {
    out.mockRestore();
  }
}

test('the epoch in which a datacenter fails is explained against the plan before it', async () => {
  const dir = scratchDirectory();
  const files = flagsOf(dir);
  const plan = join(dir, 'before.json');
  await run(planCommand(), ...files, '--at', before, '--out', plan);
  const planned = JSON.parse(await run(planCommand(), ...files, '--at', at, '--previous', plan, '-o', 'json'));
  const asked = [...files, '--at', at, '--previous', plan, '--edge', edge];
  const explanation: Explanation = JSON.parse(await run(explainCommand(), ...asked, '-o', 'json'));

  expect(explanation).toMatchObject({ time: at, since: before, edge, outcome: planned.outcome });
  expect(explanation.changes).toContainEqual({
    input: 'state',
    name: failing,
    before: 'normal',
    after: 'abnormal, keeps 0',
    unit: null,
  });
  expect(explanation.changes.some(({ input, name }) => input === 'demand' && name === edge)).toBe(true);
  for (const one of explanation.datacenters) {
    expect(one.served, one.datacenter).toBeCloseTo(planned.served[edge][one.datacenter] ?? 0, 5);
    expect(one.solved, one.datacenter).toBeCloseTo(planned.solved[edge][one.datacenter] ?? 0, 5);
    expect(one.reason === null, one.datacenter).toBe(one.served > 0);
  }
  expect(explanation.datacenters.find(({ datacenter }) => datacenter === failing)).toMatchObject({
    served: 0,
    reason: 'abnormal',
    detail: 'keeps nothing',
  });

  const text = await run(explainCommand(), ...asked);
  expect(text).toContain(`Changed since ${before}:`);
  expect(text).toMatch(new RegExp(`^ +${failing} .* abnormal: keeps nothing$`, 'm'));
  const one = await run(explainCommand(), ...asked, '--datacenter', failing, '-o', 'yaml');
  expect(one.match(/reason: abnormal/g)).toHaveLength(1);
  expect(one.match(/rttMs: /g)).toHaveLength(1);
});

test('without a previous plan it is the first table, and inputs are held against the step before', async () => {
  const text = await run(explainCommand(), ...flagsOf(scratchDirectory()), '--at', before, '--edge', edge);
  expect(text).toContain(': initial');
  expect(text).toContain(`Changed since ${formatTime(demand.timesMs[99]!)}:`);
});

test.each([
  [['--edge', 'nowhere'], /^--edge nowhere: no such one; the edges are /],
  [['--edge', edge, '--datacenter', 'nowhere'], /^--datacenter nowhere: no such one; the datacenters are /],
  [['--edge', edge, '--bucket', '65536'], /^--bucket 65536: the tree has the buckets 0 to /],
  [['--edge', edge, '--bucket', '1', '--datacenter', 'x'], /^--bucket: a bucket is explained with all datacenters/],
  [['--edge', edge, '--epoch', '3'], /^--epoch: is of a journal/],
  [['--edge', edge, '--journal', 'x'], /^--journal: a journal brings its own world/],
])('%j is refused by name', async (args, message) => {
  await expect(run(explainCommand(), ...flagsOf(scratchDirectory()), ...args)).rejects.toThrow(message);
});

test('neither a world nor a journal is refused, and a journal without its epoch', async () => {
  await expect(run(explainCommand(), '--edge', edge)).rejects.toThrow('--world, --policy and --tree are needed');
  await expect(run(explainCommand(), '--edge', edge, '--journal', 'x')).rejects.toThrow('name the epoch');
});
