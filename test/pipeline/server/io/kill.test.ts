/** The built program in a process of its own, killed with -9 at random moments, copied while it runs, started twice: it
 *  comes back with its last published table, and its journal replays byte for byte. */

import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, type TestContext, test } from 'vitest';
import { bucketize } from '../../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../../bucketizer/io/tree-file.ts';
import { generateWorld } from '../../../../config/generate.ts';
import { serviceId } from '../../../../config/ids.ts';
import { seededRandom } from '../../../../config/random.ts';
import { openEmbeddedStore } from '../../../../pipeline/publish/io/embedded-store.ts';
import { readPublished } from '../../../../pipeline/publish/publisher.ts';
import type { Snapshot } from '../../../../pipeline/publish/snapshot.ts';
import {
  decodeJournal,
  encodeRecord,
  type JournalRecord,
  type OutcomeRecord,
} from '../../../../pipeline/replay/journal-record.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { describeReplay, replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { isBuilt, type Process, service, smallSetting, spawnServe } from '../small-setting.ts';

const setting = smallSetting();

/** Killed after the test, if it still lives. */
function serve(context: TestContext, more: Record<string, unknown>, shell?: string): Process {
  const server = spawnServe(setting, more, shell);
  context.onTestFinished(() => void server.child.kill('SIGKILL'));
  return server;
}

const isServing = ({ msg }: Record<string, unknown>): boolean => msg === 'serving';
const isEpoch = ({ msg }: Record<string, unknown>): boolean => msg === 'epoch';

function isOutcome(record: JournalRecord, epoch: number): record is OutcomeRecord {
  return record.kind === 'outcome' && record.epoch === epoch;
}

/** What is on the disk, looked at in a copy: nobody holds the directory's lock here. */
async function publishedIn(dataDirectory: string): Promise<Snapshot | null> {
  const copy = join(setting.directory, `copy-${copies++}`);
  cpSync(join(setting.directory, dataDirectory, 'store'), copy, { recursive: true });
  const { snapshot, damaged } = await readPublished(await openEmbeddedStore(copy), serviceId(service, 'test'));
  rmSync(copy, { recursive: true });
  expect(damaged).toEqual([]);
  return snapshot;
}
let copies = 0;

async function expectReplays(dataDirectory: string): Promise<number> {
  let epochs = 0;
  for (const path of await journalFiles(join(setting.directory, dataDirectory, 'journal'))) {
    const replay = await replayJournal(path).catch((error: Error) => error);
    if (replay instanceof Error) {
      // Killed while its first lines were written: there is not one whole epoch in it.
      expect(decodeJournal(readFileSync(path, 'utf8')).records, replay.message).toEqual([]);
      continue;
    }
    expect(replay.difference, describeReplay(replay)).toBe(null);
    epochs += replay.epochs;
  }
  return epochs;
}

/** Together, because most of their time is spent waiting for locks to go stale. */
describe.skipIf(!isBuilt)('the built program', { concurrent: true }, () => {
  test('killed with -9 at random moments, it restarts with its last published table and its journal replays', async (context) => {
    const random = seededRandom('kill');
    const config = { dataDirectory: 'killed', clock: { epochWall: '40ms' } };
    let before: Snapshot | null = null;
    for (let round = 0; round < 4; round++) {
      const server = serve(context, config);
      const serving = await server.line(isServing);
      expect(serving?.['version'], server.stderr()).toBe(before?.version ?? 0);
      if (before) {
        const reply = await fetch(`${serving!['url']}/v1/services/${service}/tables/${before.version}`);
        const { tableSha256, edges } = JSON.parse(await reply.text());
        expect(tableSha256).toBe(before.tableSha256);
        expect(before.bodies.map(({ edge, version }) => [edge, version])).toEqual(
          Object.entries<{ sha256: string }>(edges).map(([edge, { sha256 }]) => [edge, sha256]),
        );
      }
      await server.line(isEpoch);
      await sleep(random() * 400);
      server.child.kill('SIGKILL');
      await server.exit;
      const told = server
        .stderr()
        .split('\n')
        .filter((line) => line.includes('"msg":"epoch"'))
        .map((line) => JSON.parse(line));
      before = await publishedIn('killed');
      expect(before!.version, 'what was told was published').toBeGreaterThanOrEqual(told.at(-1).version);
    }
    expect(await expectReplays('killed')).toBeGreaterThanOrEqual(4); // one a round at least
  });

  test('killed with -9, it judges live telemetry on as if nothing had happened', async (context) => {
    const telemetry = { kind: 'push', topology: { dir: 'world' }, limits: { filledShareMax: 0.5 } };
    const config = { dataDirectory: 'remembering', telemetry, clock: { epochWall: '200ms' } };
    const { edges, datacenters } = setting.world.topology;
    const [edge, datacenter] = [edges[0]!.id, datacenters[0]!.id];
    const report = async (serving: Record<string, unknown> | null, demandRps: number, rttMs: number): Promise<void> => {
      const body = {
        observedAt: new Date().toISOString(),
        demandRps: { ...Object.fromEntries(edges.map(({ id }) => [id, 100])), [edge]: demandRps },
        datacenters: Object.fromEntries(datacenters.map(({ id }) => [id, { state: 'normal', healthy: true }])),
        rttMs: { [edge]: { [datacenter]: rttMs } },
      };
      const Authorization = `Bearer ${readFileSync(String(serving!['tokenFile']), 'utf8').trim()}`;
      const headers = { Authorization, 'Content-Type': 'application/json' };
      const reply = await fetch(`${serving!['url']}/v1/telemetry`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      expect(reply.status).toBe(202);
    };
    const rttOf = async (serving: Record<string, unknown> | null): Promise<number> => {
      const { edges: of } = JSON.parse(await (await fetch(`${serving!['url']}/v1/edges`)).text());
      return of[0].rttMs[datacenter];
    };
    const longerMs = Math.round(setting.world.topology.rttMs[0]! + 40);
    const server = serve(context, config);
    const serving = await server.line(isServing);
    await report(serving, 100, longerMs);
    await server.line(({ msg, outcome }) => msg === 'epoch' && outcome === 'initial');
    expect(await rttOf(serving)).toBe(longerMs);
    server.child.kill('SIGKILL');
    await server.exit;

    const again = serve(context, config);
    const anew = await again.line(isServing);
    // Nobody has reported to this process yet, and it knows what there is to know.
    expect((await again.line(isEpoch))?.['outcome'], again.stderr()).toBe('unchanged');
    expect(await rttOf(anew)).toBe(longerMs);
    await report(anew, 9000, longerMs);
    const alert = await again.line(({ reason }) => reason === 'telemetry-partial');
    expect(alert?.['message']).toContain(`demandRps of edge "${edge}" jumped from 100 to 9000`);
    again.child.kill('SIGTERM');
    await again.exit;
    expect(await expectReplays('remembering')).toBeGreaterThan(1);
  });

  test('a torn tail of the journal is tolerated and told', async (context) => {
    const config = { dataDirectory: 'torn', clock: { epochWall: '40ms' } };
    const server = serve(context, config);
    await server.line(({ msg, epoch }) => msg === 'epoch' && Number(epoch) >= 3);
    server.child.kill('SIGKILL');
    await server.exit;
    const [path] = await journalFiles(join(setting.directory, 'torn', 'journal'));
    const whole = readFileSync(path!, 'utf8');
    writeFileSync(path!, whole.slice(0, whole.lastIndexOf('\n', whole.length - 2) + 1)); // ends in a whole line
    appendFileSync(path!, '{"sha256":"0123');
    const replay = await replayJournal(path!);
    expect(replay).toMatchObject({ tornTail: true, difference: null });
    expect(replay.epochs).toBeGreaterThanOrEqual(3);
    expect(describeReplay(replay)).toMatch(/the last line is torn.*byte for byte as recorded/);
    const again = serve(context, config);
    expect((await again.line(isEpoch))?.['outcome'], again.stderr()).not.toBe('initial');
  });

  test('a line altered in the middle of a journal is a difference, not a torn tail', async (context) => {
    const server = serve(context, { dataDirectory: 'altered', clock: { epochWall: '40ms' } });
    await server.line(({ msg, epoch }) => msg === 'epoch' && Number(epoch) >= 3);
    server.child.kill('SIGTERM');
    expect((await server.exit).code).toBe(0);
    const [path] = await journalFiles(join(setting.directory, 'altered', 'journal'));
    const whole = readFileSync(path!, 'utf8');
    const lines = whole.split('\n');
    writeFileSync(path!, lines.with(3, lines[3]!.replace('"epoch":1', '"epoch":9')).join('\n'));
    expect((await replayJournal(path!)).difference).toMatchObject({
      field: 'journal',
      recorded: expect.stringContaining('line 4'),
    });
  });

  test('a replay finds the one epoch, and the one field, in which a record is not what its inputs give', async (context) => {
    const server = serve(context, { dataDirectory: 'forged', clock: { epochWall: '40ms' } });
    await server.line(({ msg, epoch }) => msg === 'epoch' && Number(epoch) >= 3);
    server.child.kill('SIGTERM');
    await server.exit;
    const [path] = await journalFiles(join(setting.directory, 'forged', 'journal'));
    const { records } = decodeJournal(readFileSync(path!, 'utf8'));
    const differenceWith = async (forge: (record: JournalRecord) => JournalRecord) => {
      writeFileSync(path!, records.map((record) => encodeRecord(forge(record))).join(''));
      return (await replayJournal(path!)).difference;
    };
    const edge = setting.world.topology.edges[1]!.id;
    const forgeries: readonly (readonly [string, (record: JournalRecord) => JournalRecord])[] = [
      ['tableSha256', (of) => (isOutcome(of, 2) ? { ...of, tableSha256: 'other' } : of)],
      [`bodies.${edge}`, (of) => (isOutcome(of, 2) ? { ...of, bodies: { ...of.bodies, [edge]: 'other' } } : of)],
      ['outcome', (of) => (isOutcome(of, 2) ? { ...of, outcome: 'rejected' } : of)],
      ['carried', (of) => (isOutcome(of, 2) ? { ...of, carried: { ...of.carried, sessions: [99] } } : of)],
      ['previousSha256', (of) => (of.kind === 'inputs' && of.epoch === 2 ? { ...of, previousSha256: 'other' } : of)],
    ];
    for (const [field, forge] of forgeries) expect(await differenceWith(forge)).toMatchObject({ epoch: 2, field });
    expect(await differenceWith((record) => record)).toBe(null);
  });

  test('a second process is refused in one line, and the first goes on', async (context) => {
    const config = { dataDirectory: 'shared' };
    const first = serve(context, config);
    await first.line(isEpoch);
    const second = serve(context, config);
    expect(await second.exit).toEqual({ code: 1, signal: null });
    expect(second.stderr()).toMatch(
      new RegExp(
        `^taiji: data directory .*shared: in use by process ${first.child.pid} .*; stop that one, or give .*\\n$`,
      ),
    );
    const seen = first.stderr().length;
    await first.line(() => first.stderr().length > seen + 100);
    expect(first.child.exitCode).toBe(null);
  });

  test('SIGTERM finishes the epoch in work, answers who waits, and ends with 0', async (context) => {
    const server = serve(context, { dataDirectory: 'stopped', clock: { epochWall: '30s' } });
    const serving = await server.line(isServing);
    await server.line(isEpoch);
    const edge = setting.world.topology.edges[0]!.id;
    const table = `${serving!['url']}/v1/services/${service}/edges/${edge}/table`;
    const tag = (await fetch(table)).headers.get('etag')!;
    const waiting = fetch(`${table}?wait=60s`, { headers: { 'If-None-Match': tag } });
    const events = await fetch(`${serving!['url']}/v1/events`);
    await sleep(50);
    server.child.kill('SIGTERM');
    expect((await waiting).status).toBe(304);
    await events.text(); // ends
    expect(await server.exit).toEqual({ code: 0, signal: null });
    const last = JSON.parse(server.stderr().trim().split('\n').at(-1)!);
    expect(last.msg).toBe('stopped');
    const [path] = await journalFiles(join(setting.directory, 'stopped', 'journal'));
    expect(await replayJournal(path!)).toMatchObject({ epochs: 1, unfinished: 0, tornTail: false, difference: null });
  });

  test('a copy taken while it runs is a backup: it serves a published table, under a newer term', async (context) => {
    const config = { dataDirectory: 'copied', clock: { epochWall: '40ms' } };
    const server = serve(context, config);
    const serving = await server.line(isServing);
    await server.line(({ msg, epoch }) => msg === 'epoch' && Number(epoch) >= 5);
    // File by file, in no order that knows of ours; a file may be replaced while it is looked at.
    const from = join(setting.directory, 'copied');
    const to = join(setting.directory, 'restored');
    for (const name of readdirSync(from, { recursive: true, withFileTypes: true })) {
      if (!name.isFile() || name.name.endsWith('.tmp')) continue;
      const path = join(name.parentPath, name.name);
      cpSync(path, path.replace(from, to), { recursive: true });
      await sleep(5);
    }
    server.child.kill('SIGTERM');
    await server.exit;
    const restored = serve(context, { ...config, dataDirectory: 'restored' });
    const again = await restored.line(isServing);
    expect(again?.['version'], restored.stderr()).toBeGreaterThan(0);
    expect(again!['term']).toBeGreaterThan(Number(serving!['term']));
    expect((await restored.line(isEpoch))?.['outcome']).not.toBe('initial');
    restored.child.kill('SIGTERM');
    await restored.exit;
    expect(await expectReplays('restored')).toBeGreaterThan(3);
  });

  test('whoever lost the directory to another process stops in one line, and publishes nothing more', async (context) => {
    const lockless = serve(context, { dataDirectory: 'lockless', clock: { epochWall: '40ms' } });
    const fenced = serve(context, { dataDirectory: 'fenced', clock: { epochWall: '40ms' } });
    await Promise.all([lockless.line(isEpoch), fenced.line(isEpoch)]);
    rmSync(join(setting.directory, 'lockless', 'lock'), { recursive: true });
    writeFileSync(join(setting.directory, 'fenced', 'store', 'TERM'), '99999999999\n');
    expect([await lockless.exit, await fenced.exit]).toEqual(Array(2).fill({ code: 1, signal: null }));
    const lastLine = (server: Process) => server.stderr().trimEnd().split('\n').at(-1);
    expect(lastLine(lockless)).toMatch(/^taiji: serve: the data directory's lock was lost: /);
    expect(lastLine(fenced)).toMatch(/^taiji: serve: term 99999999999 was granted after \d+$/);
  });

  test('a mistake in what people state is one line that says where and what is expected', async (context) => {
    const { users, friends } = generateWorld({ seed: 8, edges: 1, datacenters: 1, users: 50, days: 1 });
    const ids = users.ids.map((id) => `other-${id}`);
    const input = { users: ids, userWeights: null, ties: friends, tieWeights: null };
    writeTree(join(setting.directory, 'tree-of-others'), bucketize(input, { height: 2, seed: 1, effort: 'fast' }).tree);
    const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ port: 80 }, /\.yaml:\d+: server: unknown key spec\.port.*expected dataDirectory, policy, tree/],
      [{ clock: { epochWall: '5 minutes' } }, /spec\.clock\.epochWall is "5 minutes", expected a duration such as 30s/],
      [{ clock: { epochWall: '1s', acceleration: 2 } }, /expected acceleration or epochWall, not both/],
      [{ listen: { port: 70_000 } }, /spec\.listen\.port is 70000, expected a whole number 0\.\.65535/],
      [{ tree: 'no-tree' }, /no-tree: the tree cannot be read/],
      [{ tree: 'tree-of-others' }, /tree-of-others: knows none of the 400 users of .*world; build it/],
      [{ telemetry: { kind: 'world', dir: 'no-world' } }, /no-world: not a directory/],
      [{ policy: 'no-policy' }, /no-policy: cannot be read/],
    ];
    for (const [more, message] of cases) {
      const server = serve(context, { dataDirectory: 'mistaken', ...more });
      expect((await server.exit).code, JSON.stringify(more)).toBe(1);
      expect(server.stderr()).toMatch(message);
      expect(server.stderr().trimEnd().split('\n'), 'one line').toHaveLength(1);
    }
  });

  test('a limit on file sizes (journal and objects fail, small files do not) stops no epoch', async (context) => {
    const server = serve(context, { dataDirectory: 'limited', clock: { epochWall: '40ms' } }, 'ulimit -f 4');
    const epoch = await server.line(({ msg, epoch: number }) => msg === 'epoch' && Number(number) >= 5);
    expect(epoch?.['version'], server.stderr()).toBeGreaterThan(0);
    const alert = await server.line(({ reason }) => reason === 'journal-failing');
    expect(alert).toMatchObject({ message: expect.stringMatching(/EFBIG/) });
    server.child.kill('SIGTERM');
    expect((await server.exit).code).toBe(0);
  });
});
