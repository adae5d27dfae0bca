/** What goes wrong in production, done to the real control plane: no room on the disk, planning that throws, telemetry
 *  that ends, a tree that is replaced. The last good table stays, forced moves go on, and an alert says what is up. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bucketize } from '../../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../../bucketizer/io/tree-file.ts';
import { compareIds } from '../../../../config/ids.ts';
import { planEpoch } from '../../../../pipeline/epoch.ts';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { installedEngines } from '../../../scene.ts';
import { type Run, run, service, smallSetting } from '../small-setting.ts';

const setting = smallSetting();
const datacenter = setting.world.topology.datacenters[0]!.id;
let directories = 0;

/** A control plane with a data directory of its own, stopped after the test. */
async function running(...[more, options]: [Record<string, unknown>?, Parameters<typeof run>[2]?]): Promise<Run> {
  const server = await run(setting, { dataDirectory: `data-${directories++}`, ...more }, options);
  onTestFinished(() => server.stop());
  return server;
}

const get = async (server: Run, path: string) => JSON.parse(await (await fetch(`${server.url}${path}`)).text());
/** Sorted; without the one that a busy machine may add to any test. */
async function alertsOf(server: Run): Promise<string[]> {
  const { alerts } = await get(server, '/v1/edges');
  return Object.keys(alerts)
    .filter((reason) => reason !== 'epoch-overrun')
    .sort(compareIds);
}

async function drain(server: Run): Promise<{ readonly effectiveFrom: string; readonly stored: boolean }> {
  const reply = await fetch(`${server.url}/v1/intents`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ kind: 'drain', author: 'ann', reason: 'fire', datacenter }),
  });
  expect(reply.status).toBe(201);
  return JSON.parse(await reply.text());
}

async function expectDrained(server: Run): Promise<void> {
  const { edges } = await get(server, '/v1/edges');
  for (const { fractions } of edges) expect(fractions[datacenter]).toBe(0);
  const { edge } = edges[0];
  const { targets, assignment } = await get(server, `/v1/services/${service}/edges/${edge}/table`);
  const target = targets.findIndex((one: { datacenter: string }) => one.datacenter === datacenter);
  expect(assignment).not.toMatch(new RegExp(`(^| )${target}\\*`));
}

test('a journal without room blocks no forced move; once there is room again it records', async () => {
  let isFull = false;
  const server = await running(
    {},
    {
      openJournalFile: (path, flags, mode) => (isFull ? open('/dev/full', 'a') : open(path, flags, mode)),
    },
  );
  await server.epoch(({ epoch }) => epoch >= 1);
  await server.stop();
  isFull = true;
  const full = await running(
    { dataDirectory: `data-${directories - 1}` },
    {
      openJournalFile: (path, flags, mode) => (isFull ? open('/dev/full', 'a') : open(path, flags, mode)),
    },
  );
  await full.epoch(() => true);
  const { effectiveFrom, stored } = await drain(full);
  expect(stored).toBe(true);
  await full.epoch(({ churn }) => churn.forced > 0);
  await full.epoch(({ time }) => time >= effectiveFrom);
  expect(await alertsOf(full)).toEqual(['journal-failing']);
  await expectDrained(full);
  isFull = false;
  const count = full.epochs.length;
  await full.epoch((epoch) => full.epochs.indexOf(epoch) > count + 1);
  expect(await alertsOf(full)).toEqual([]);
  await full.stop();
  for (const path of await journalFiles(join(setting.directory, `data-${directories - 1}`, 'journal'))) {
    expect(await replayJournal(path), path).toMatchObject({ difference: null, unfinished: 0 });
  }
});

test('a disk that is full blocks no forced move, and everything is stored once it has room', async (context) => {
  const disk = join(setting.directory, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    context.skip('a small disk cannot be mounted here (it needs root)');
  }
  onTestFinished(() => void execFileSync('umount', ['-l', disk]));
  const server = await running({ dataDirectory: 'disk/data' });
  await server.epoch(({ version }) => version > 0);
  const filler = join(disk, 'filler');
  expect(() => writeFileSync(filler, Buffer.alloc(4_000_000))).toThrow('ENOSPC');

  const { effectiveFrom, stored } = await drain(server);
  expect(stored).toBe(false);
  await server.epoch(({ time }) => time >= effectiveFrom);
  await expectDrained(server);
  expect(await alertsOf(server)).toEqual(['journal-failing', 'store-failing']);

  rmSync(filler);
  const count = server.epochs.length;
  const well = await server.epoch((epoch) => server.epochs.indexOf(epoch) > count + 1);
  expect(await alertsOf(server)).toEqual([]);
  await server.stop();
  const again = await running({ dataDirectory: 'disk/data' });
  const serving = again.logged.find(({ msg }) => msg === 'serving');
  expect(serving?.['version']).toBeGreaterThanOrEqual(well.version);
  expect((await get(again, '/v1/intents')).intents).toHaveLength(1);
  await again.epoch(() => true);
  await expectDrained(again);
});

test('planning that throws keeps the last good table, and goes on once it no longer throws', async () => {
  let isBroken = false;
  const server = await running(
    {},
    {
      plan: (inputs, context) => {
        if (isBroken) throw new Error('a defect');
        return planEpoch(inputs, context);
      },
    },
  );
  await server.epoch(({ version }) => version > 0);
  isBroken = true;
  const failed = await server.epoch(({ outcome }) => outcome === 'held');
  expect(failed).toMatchObject({ reason: 'planning: a defect', utilization: {} });
  expect(await alertsOf(server)).toEqual(['plan-failed']);
  const { version } = await get(server, '/v1/edges');
  expect(version).toBeGreaterThan(0);
  const table = await fetch(`${server.url}/v1/services/${service}/edges/${setting.world.topology.edges[0]!.id}/table`);
  expect(table.status).toBe(200);
  isBroken = false;
  await server.epoch((epoch) => epoch.epoch > failed.epoch && epoch.outcome !== 'held');
  expect(await alertsOf(server)).toEqual([]);
});

test.skipIf((await installedEngines()).length < 2).each(['highs', 'glpk'])(
  '%s lying about a minimum is counted and alarms, and steers nobody',
  async (liar) => {
    const lie = join(setting.directory, `${liar}-lies`);
    const solverEntry = join(setting.directory, `${liar}.mjs`);
    const engines = new URL('../../../../dist/runtime/lp/engines.js', import.meta.url);
    writeFileSync(
      solverEntry,
      `import { existsSync } from 'node:fs';
     import { parentPort, workerData } from 'node:worker_threads';
     import { openEngine } from '${engines.href}';
     const solve = await openEngine(workerData.engine);
     parentPort.on('message', ({ program, prices }) => {
       const answer = solve(program, prices);
       const lies = workerData.engine === '${liar}' && existsSync('${lie}');
       parentPort.postMessage({ answer: lies ? { ...answer, columns: answer.columns.map((x) => x + 0.01) } : answer });
     });
     parentPort.postMessage({ ready: true });`,
    );
    const server = await running({}, { solverEntry });
    const counted = async (): Promise<number> => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return Number(/^taiji_solver_disagreements_total\{service="web"\} (\d+)$/m.exec(text)?.[1]);
    };
    const until = async (holds: () => Promise<boolean>): Promise<void> => {
      while (!(await holds())) {
        const count = server.epochs.length;
        await server.epoch((epoch) => server.epochs.indexOf(epoch) >= count);
      }
    };
    await server.epoch(({ epoch }) => epoch >= 1);
    expect(await counted()).toBe(0);
    writeFileSync(lie, '');
    await until(async () => (await counted()) > 0);
    await until(async () => (await alertsOf(server)).includes('solver-disagreement'));
    rmSync(lie);
    await until(async () => !(await alertsOf(server)).includes('solver-disagreement'));
    expect(await counted()).toBeGreaterThan(0);
    expect(server.epochs.filter(({ outcome }) => outcome === 'held' || outcome === 'rejected')).toEqual([]);
  },
);

test('before there is a table nobody is sent an empty one', async () => {
  const server = await running({}, { plan: () => Promise.reject(new Error('a defect')) });
  await server.epoch(() => true);
  const edge = setting.world.topology.edges[0]!.id;
  const table = await fetch(`${server.url}/v1/services/${service}/edges/${edge}/table`);
  expect([table.status, table.headers.get('Retry-After')]).toEqual([503, '5']);
  const ready = await fetch(`${server.url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, 'no table was published yet\n']);
});

test('where the telemetry ends the table stays, the alert says so, and nothing is recorded as decided', async () => {
  const { timesMs } = setting.world.demand;
  const from = new Date(timesMs.at(-1)!).toISOString();
  const server = await running({ telemetry: { kind: 'world', dir: 'world', from } });
  const ended = await server.epoch(({ outcome }) => outcome === 'held');
  expect(ended.reason).toMatch(/^telemetry: the world has demand for epochs from/);
  expect(ended.version).toBeGreaterThan(0);
  expect(await alertsOf(server)).toEqual(['telemetry-failing']);
});

test('history, epochs and intents go on after a stop where they were', async () => {
  const dataDirectory = `data-${directories++}`;
  const server = await running({ dataDirectory });
  await drain(server);
  await server.epoch(({ epoch }) => epoch >= 3);
  await server.stop();
  const last = server.epochs.at(-1)!;
  const again = await running({ dataDirectory });
  const next = await again.epoch(() => true);
  expect(next.epoch).toBe(last.epoch + 1);
  expect(Date.parse(next.time)).toBe(Date.parse(last.time) + 300_000);
  const { epochs } = await get(again, '/v1/epochs');
  expect(epochs.slice(0, server.epochs.length)).toEqual(server.epochs.map(({ service: _, ...summary }) => summary));
  expect((await get(again, '/v1/intents')).intents).toHaveLength(1);
});

test('a new tree of the same height takes the table over, paced; one of another height is refused', async () => {
  const { users, friends } = setting.world;
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  for (const [name, height, seed] of [
    ['tree-2', 6, 2],
    ['tree-7', 7, 1],
  ] as const) {
    writeTree(join(setting.directory, name), bucketize(input, { height, seed, effort: 'fast' }).tree);
  }
  const dataDirectory = `data-${directories++}`;
  const server = await running({ dataDirectory });
  await server.epoch(({ version }) => version > 0);
  await server.stop();
  const next = await running({ dataDirectory, tree: 'tree-2' });
  const first = await next.epoch(() => true);
  expect(first.outcome).not.toBe('initial');
  // Other users in every bucket may break a limit: then more than churnMax moves, and no more than has to.
  const { elective, minimum } = first.churn;
  const passed = first.treeMove!;
  expect(passed.users).toBeGreaterThan(0);
  expect(passed.churn + elective).toBeLessThanOrEqual(first.relaxed.includes('churnMax') ? 1.1 * minimum : 0.05);
  await next.epoch(() => next.logged.some(({ message }) => String(message).startsWith('all users are on tree')));
  await next.stop();
  for (const path of await journalFiles(join(setting.directory, dataDirectory, 'journal'))) {
    expect(await replayJournal(path), path).toMatchObject({ difference: null });
  }
  const objects = (): number => readdirSync(join(setting.directory, dataDirectory, 'objects')).length;
  expect(objects()).toBeGreaterThan(4); // two trees, and weights of every step between them
  const pruned = await running({ dataDirectory, tree: 'tree-2', journal: { filesKept: 1 } });
  await expect.poll(objects).toBe(3); // the tree in force with its weights, and the one that a rollback goes to
  await pruned.stop();
  const refused = run(setting, { dataDirectory, tree: 'tree-7' });
  await expect(refused).rejects.toThrow(/its table has 2\^6 buckets and the tree 2\^7; serve a tree of height 6/);
});
