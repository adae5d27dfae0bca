/** `taiji get` against a control plane on loopback. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { getCommand } from '../../../pipeline/cli/get.ts';
import { type Run, run, smallSetting } from '../server/small-setting.ts';

const setting = smallSetting();
let server: Run;

beforeAll(async () => {
  server = await run(setting);
  await server.epoch(({ version }) => version > 0);
});
afterAll(() => server.stop());

async function get(...args: string[]): Promise<string> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await getCommand().parseAsync(args, { from: 'user' });
    return out.mock.calls.map(([text]) => text).join('');
  } finally {
    out.mockRestore();
  }
}

test('services come as a table, JSON and YAML', async () => {
  const at = ['services', '--server', server.url];
  const [head, row] = (await get(...at)).split('\n');
  expect(head!.split(/ {3,}/)).toEqual(['SERVICE', 'KIND', 'VERSION', 'EPOCH', 'NEXT', 'ALERTS']);
  expect(row).toMatch(/^web {3,}stateless {3,}\d+/);
  expect(JSON.parse(await get(...at, '-o', 'json')).services[0]).toMatchObject({ service: 'web', kind: 'stateless' });
  expect(await get(...at, '-o', 'yaml')).toMatch(/^services:\n {2}- service: web\n/);
});

test('where nobody answers, one line says how to name the server', async () => {
  await expect(get('services', '--server', 'http://127.0.0.1:1')).rejects.toThrow(
    /"http:\/\/127.0.0.1:1": no control plane answers there \(.*\); name it with --server or TAIJI_SERVER/,
  );
});
