/** The verbs that hand in and withdraw intents, against a control plane on loopback. */

import type { Command } from 'commander';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { drainCommand } from '../../../pipeline/cli/drain.ts';
import { freezeCommand } from '../../../pipeline/cli/freeze.ts';
import { getCommand } from '../../../pipeline/cli/get.ts';
import { overrideCommand } from '../../../pipeline/cli/override.ts';
import { shiftCommand } from '../../../pipeline/cli/shift.ts';
import { undrainCommand } from '../../../pipeline/cli/undrain.ts';
import { unfreezeCommand } from '../../../pipeline/cli/unfreeze.ts';
import { withdrawCommand } from '../../../pipeline/cli/withdraw.ts';
import { type Run, run, smallSetting } from '../server/small-setting.ts';

const setting = smallSetting();
const { edges, datacenters } = setting.world.topology;
const [edge, one, two] = [edges[0]!.id, datacenters[0]!.id, datacenters[1]!.id];
let server: Run;

beforeAll(async () => {
  server = await run(setting);
  await server.epoch(({ version }) => version > 0);
});
afterAll(() => server.stop());

/** What the verb printed. */
async function taiji(command: Command, ...args: string[]): Promise<string> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.stubEnv('TAIJI_SERVER', server.url);
  vi.stubEnv('TAIJI_TOKEN', server.token);
  try {
    await command.parseAsync(args, { from: 'user' });
    return out.mock.calls.map(([text]) => text).join('');
  } finally {
    out.mockRestore();
    vi.unstubAllEnvs();
  }
}

test('freeze and unfreeze', async () => {
  const out = await taiji(
    freezeCommand(),
    '--reason',
    'launch day',
    '--author',
    'ann',
    '--id',
    'launch',
    '--for',
    '2h',
  );
  expect(out).toMatch(/^freeze\/launch taken: freeze\nby ann, from \S+Z, until \S+Z\n/);
  expect(await taiji(getCommand(), 'intents')).toMatch(
    /^launch +freeze +\* +manual +ann +\S+Z +in force +launch day$/m,
  );
  expect(await taiji(unfreezeCommand())).toBe('freeze/launch withdrawn (by ann: launch day)\n');
  await expect(taiji(unfreezeCommand())).rejects.toThrow('a freeze is not there; taiji get intents lists what is');
  await expect(taiji(undrainCommand(), 'dublin')).rejects.toThrow('a drain of "dublin" is not there');
});

test('a drain over two epochs empties a datacenter, says what it comes to, and ends with undrain', async () => {
  const out = await taiji(drainCommand(), one, '--reason', 'power', '--over', '10m', '--id', 'power', '--force');
  expect(out).toMatch(new RegExp(`^drain/power taken: drain ${one}, keep 0.5 from \\S+Z, 0 from \\S+Z\n`));
  expect(out).toMatch(new RegExp(`^${one} +\\d\\.\\d{3} +0\\.000 +-`, 'm'));
  const from = server.epochs.length;
  await server.epoch((epoch) => server.epochs.indexOf(epoch) >= from && epoch.utilization[one] === 0);
  expect(await taiji(undrainCommand(), one, '--reason', 'done', '--author', 'bob')).toContain('drain/power withdrawn');
  const { ended } = JSON.parse(await taiji(getCommand(), 'intents', '-o', 'json'));
  expect(ended.at(-1)).toMatchObject({ intent: { id: 'power' }, how: 'withdrawn', by: 'bob', reason: 'done' });
});

test('a dry run says what an intent would come to, and hands nothing in', async () => {
  const before = process.exitCode;
  onTestFinished(() => {
    process.exitCode = before;
  });
  const args = ['--edge', edge, '--datacenter', two, '--fraction', '0.5', '--reason', 'x', '--dry-run', '-o', 'json'];
  const answer = JSON.parse(await taiji(overrideCommand(), ...args));
  expect(answer).toMatchObject({
    dryRun: true,
    intent: { kind: 'override', fraction: 0.5 },
    check: { web: { limit: 1 } },
  });
  expect(Object.keys(answer.check.web.before)).toEqual(datacenters.map(({ id }) => id));
  expect(JSON.parse(await taiji(getCommand(), 'intents', '-o', 'json')).intents).toEqual([]);
});

test('who waits is listed with whom for, until that is withdrawn', async () => {
  await taiji(freezeCommand(), '--reason', 'launch', '--id', 'freeze');
  const shift = [
    '--from',
    one,
    '--to',
    two,
    '--fraction',
    '0.1',
    '--edge',
    edge,
    '--reason',
    'try',
    '--id',
    'shift',
    '--force',
  ];
  expect(await taiji(shiftCommand(), ...shift)).toContain('waits for freeze\n');
  const from = server.epochs.length + 1;
  await server.epoch((epoch) => server.epochs.indexOf(epoch) > from);
  expect(await taiji(getCommand(), 'intents')).toMatch(/^shift .* waits for freeze since \S+Z +try$/m);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  for (const state of ['waiting', 'in-force']) {
    expect(metrics).toMatch(new RegExp(`^taiji_intents\\{service="\\w+",state="${state}"\\} 1$`, 'm'));
  }
  await taiji(withdrawCommand(), 'shift');
  await taiji(unfreezeCommand());
});

test('what the control plane refuses is one line that says how to mend it', async () => {
  const drain = (...args: string[]) => taiji(drainCommand(), ...args, '--reason', 'x', '--force');
  await expect(drain('nowhere')).rejects.toThrow(/^datacenter "nowhere" is not in the topology/);
  await expect(drain(edge)).rejects.toThrow(/but an edge: which edge users reach is DNS’s affair/);
  await expect(drain(one, '--edge', 'nowhere')).rejects.toThrow(/^edge "nowhere" is not in the topology/);
  await expect(drain(one, '--until', '1999-01-01T00:00:00Z')).rejects.toThrow(/expected a time after the next epoch/);
  await expect(drain(one, '--for', '1h', '--until', '2099-01-01T00:00:00Z')).rejects.toThrow(
    'for and until are both given',
  );
  await expect(drain(one, '--priority', 'high')).rejects.toThrow(/priority is "high", expected failure or drill/);
});
