/** `taiji tree activate`, `rollback` and `status`, as people run them, against a running server. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../bucketizer/io/tree-file.ts';
import { isBuilt, type Run, run, service, smallSetting } from '../server/small-setting.ts';
import { type Said, taijiAgainst } from './against-server.ts';

const setting = smallSetting();
const { users, friends } = setting.world;
writeFileSync(join(setting.directory, 'world', 'events.csv'), 'time,datacenter,state\n');
const spec = { guards: { churnMax: 0.2, onloadMax: 1 } };
const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service }, spec };
writeFileSync(join(setting.directory, 'policy.yaml'), stringify(policy));
for (const [name, height] of [['next', 6] as const, ['taller', 7] as const]) {
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  writeTree(join(setting.directory, name), bucketize(input, { height, seed: 2, effort: 'fast' }).tree);
}
let server: Run;

const taiji = (...words: readonly string[]): Promise<Said> => taijiAgainst(server, setting, words);

describe.skipIf(!isBuilt)('the built program', () => {
  beforeAll(async () => {
    server = await run(setting, { clock: { epochWall: '50ms' } });
    await server.epoch(() => true);
  });
  afterAll(() => server.stop());

  test('looks at a tree, passes to it, waits for the last user, and goes back', async () => {
    const plan =
      /^service\/web: from tree \w{12} to \w{12}\n {2}\d+ of 400 users change bucket; .* another datacenter for 0\.\d{4} of demand\n {2}about \d+ epochs of at most half of churnMax each, \d+ min\n/;
    const dry = await taiji('tree', 'activate', 'next', '--reason', 'refresh', '--dry-run');
    expect(dry, dry.error).toMatchObject({ code: 0, out: expect.stringMatching(plan) });
    expect((await taiji('tree', 'status')).out).toMatch(/^service\/web: all users by tree \w{12} \(height 6\)\n$/);

    const done = await taiji('tree', 'activate', 'next', '--reason', 'refresh', '--wait');
    expect(done, done.error).toMatchObject({ code: 0, out: expect.stringMatching(plan) });
    expect(done.out).toContain('\nBegun: the first users pass with the next epoch.');
    expect(done.error).toMatch(/service\/web: all users by tree \w{12} \(height 6\); a rollback goes to \w{12}\n$/);
    const status = await taiji('tree', 'status');
    expect(status.out).toMatch(/\n {2}asked by ann at .*Z: refresh\n$/);
    const same = await taiji('tree', 'activate', 'next', '--reason', 'again');
    expect(same).toMatchObject({ code: 1, error: expect.stringMatching(/^taiji: tree \w{12} is in force already\n$/) });

    const back = await taiji('tree', 'rollback', '--reason', 'latency', '-o', 'json');
    expect(JSON.parse(back.out)).toMatchObject({ begun: true, plan: { direction: 'back' } });
  });

  test('refuses another height before anything is handed in', async () => {
    expect(await taiji('tree', 'activate', 'taller', '--reason', 'more')).toMatchObject({
      code: 1,
      error: expect.stringMatching(
        /^taiji: taller: height 7, the tree in force has 6, .* --height 6 --previous TREE"\n$/,
      ),
    });
  });
});
