/** The verbs that hand in and withdraw intents, against a control plane on loopback. */

import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { undrainCommand } from '../../../pipeline/cli/undrain.ts';
import { unfreezeCommand } from '../../../pipeline/cli/unfreeze.ts';
import { type Run, run, smallSetting } from '../server/small-setting.ts';

const setting = smallSetting();
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

async function handIn(intent: Record<string, unknown>): Promise<void> {
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
  const reply = await fetch(`${server.url}/v1/intents`, { method: 'POST', headers, body: JSON.stringify(intent) });
  expect(reply.status, await reply.text()).toBe(201);
}

test('unfreeze withdraws freezes and nothing else', async () => {
  await handIn({ kind: 'freeze', id: 'launch', author: 'ann', reason: 'launch day' });
  expect(await taiji(unfreezeCommand())).toBe('freeze/launch withdrawn (by ann: launch day)\n');
  await expect(taiji(unfreezeCommand())).rejects.toThrow('a freeze is not there; taiji get intents lists what is');
  await expect(taiji(undrainCommand(), 'dublin')).rejects.toThrow('a drain of "dublin" is not there');
});
