/** `taiji history`, `diff`, `rollback`, `resume`, `get plans` and `apply`, as people run them, against a running server. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isBuilt, type Run, run, service, smallSetting } from '../server/small-setting.ts';
import { type Said, taijiAgainst } from './against-server.ts';

const setting = smallSetting();
// Nothing happens but what a test does, however many epochs go by meanwhile.
writeFileSync(join(setting.directory, 'world', 'events.csv'), 'time,datacenter,state\n');
let server: Run;

const taiji = (...words: readonly string[]): Promise<Said> => taijiAgainst(server, setting, words);

describe.skipIf(!isBuilt)('the built program', () => {
  beforeAll(async () => {
    // However many versions there are by the time a command has run, the first is still kept.
    server = await run(setting, { clock: { epochWall: '50ms' }, versionsKept: 100_000 });
    await server.epoch(({ version }) => version >= 3);
  });
  afterAll(() => server.stop());

  test('goes back to an earlier version, says that it is held, and resumes', async () => {
    const history = await taiji('history', '--limit', '2');
    expect(history.out).toMatch(
      /^VERSION {3}PARENT {3}PUBLISHED .*REASON\n\d+ +\d+ .* epoch {3}taiji .*epoch \d+: published/,
    );
    const back = await taiji('rollback', '1', '--reason', 'latency');
    expect(back, back.error).toMatchObject({ code: 0 });
    expect(back.out).toMatch(
      /^service\/web at version \d+; 0\.\d{4} of demand moves\nHeld at version 1 by ann \(latency\): nothing moves by choice until taiji resume; /,
    );
    const again = await taiji('history', '--limit', '1', '-o', 'json');
    expect(JSON.parse(again.out).versions[0]).toMatchObject({ cause: 'rollback', author: 'ann', restores: 1 });
    const same = await taiji('diff', '1', 'current', '--detailed-exitcode');
    expect(same).toMatchObject({ code: 0, out: 'No change.\n' });
    const other = await taiji('diff', '2', '1', '--detailed-exitcode');
    expect(other.code).toBe(2);
    expect(other.out).toMatch(/of demand moves, \d+ buckets?\.\n$/);
    const resumed = await taiji('resume', '--reason', 'mended');
    expect(resumed.out).toMatch(/^service\/web at version \d+\nTables follow the plans from the next epoch on\.\n$/);
    expect((await taiji('resume')).error).toBe('taiji: nothing is held: tables follow the plans\n');
  });

  test('applies a plan file that was looked at, over a limit only by force and with a reason', async () => {
    const files = ['--world', 'world', '--policy', 'policy.yaml', '--tree', 'tree', '--solver', 'highs'];
    const planned = await taiji('plan', ...files, '--at', '2026-03-02T18:00:00Z', '--out', 'plan.json', '-o', 'json');
    expect(planned, planned.error).toMatchObject({ code: 0 });
    const { checksum } = JSON.parse(planned.out);
    // Versions here follow each other faster than anybody looks.
    const still = await taiji('freeze', '--reason', 'a plan is looked at', '--author', 'ann');
    expect(still, still.error).toMatchObject({ code: 0 });
    const inWork = server.epochs.length;
    await server.epoch((epoch) => server.epochs.indexOf(epoch) > inWork);
    expect((await taiji('apply', 'plan.json', '--force')).error).toBe(
      'taiji: --force needs a reason: --reason "..."\n',
    );
    const other = await taiji('apply', 'plan.json', '--plan-checksum', '0'.repeat(64));
    expect(other.error).toMatch(
      /^taiji: --plan-checksum 0+: plan\.json has [0-9a-f]{64}; it is not the plan that was looked at\n$/,
    );
    const looked = await taiji('apply', 'plan.json', '--dry-run');
    expect(looked.out).toMatch(/^plan +[0-9a-f]{12}, on version \d+\nchurn .*\nmoved .*\nutilization .*\n/);
    const unforced = await taiji('apply', 'plan.json');
    expect(unforced.code).toBe(1);
    expect(unforced.error).toMatch(/^taiji: frozen by ann: a plan is looked at; .*--force needs a reason\n$/);
    const forced = ['--force', '--reason', 'tried', '--plan-checksum', checksum];
    const done = await taiji('apply', 'plan.json', ...forced);
    expect(done, done.error).toMatchObject({ code: 0 });
    const [newest] = JSON.parse((await taiji('history', '-o', 'json')).out).versions.filter(
      ({ cause }: { cause: string }) => cause === 'plan',
    );
    expect(newest).toMatchObject({ author: 'ann', reason: 'tried' });
    const moving = await taiji('unfreeze');
    expect(moving, moving.error).toMatchObject({ code: 0 });
    writeFileSync(join(setting.directory, 'altered.json'), '{"checksum":"x","table":null}');
    expect((await taiji('apply', 'altered.json')).error).toBe(
      'taiji: altered.json: its checksum differs; it was altered\n',
    );
    expect((await taiji('apply', 'abcdef')).error).toMatch(
      /^taiji: plan "abcdef" is not here .*taiji get plans lists them\n$/,
    );
  });

  test('waits until every edge has said that it has its table, and names who has not', async () => {
    const frozen = JSON.stringify({ kind: 'freeze', author: 'test', reason: 'still' });
    const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
    await fetch(`${server.url}/v1/intents`, { method: 'POST', headers, body: frozen });
    await server.epoch(({ reason }) => reason === 'frozen by test: still' || reason === 'nothing-to-move');
    const late = await taiji('rollback', '1', '--reason', 'x', '--force', '--wait', '--timeout', '300ms');
    expect(late.code).toBe(1);
    expect(late.error).toMatch(
      /--wait: version \d+: no word from .* within 300ms; taiji get edges shows what each has\n$/,
    );
    const reply = await fetch(`${server.url}/v1/services/${service}/rollout`);
    const { edges } = JSON.parse(await reply.text());
    for (const { edge, sha256 } of edges) {
      const body = JSON.stringify({ sha256, appliedAt: '2026-11-01T00:00:00Z' });
      await fetch(`${server.url}/v1/edges/${edge}/acks`, { method: 'POST', headers, body });
    }
    const current = await taiji('get', 'edges');
    expect(current.out.match(/ yes /g), `${current.out}${current.error}`).toHaveLength(edges.length);
    expect((await taiji('get', 'tables')).out).toMatch(/rollback/);
    expect((await taiji('get', 'plans')).code).toBe(0);
  });
});
