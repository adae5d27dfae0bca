/** Versions, rollbacks, plans, approvals and canaries on the real control plane, over HTTP. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { parseBody } from '../../../../pipeline/table/compile.ts';
import { type EncodedTable, encodeTable, type RoutingTable } from '../../../../pipeline/table/routing-table.ts';
import { type Run, run, service, smallSetting } from '../small-setting.ts';

const setting = smallSetting();
// Nothing happens but what a test does, however many epochs go by meanwhile.
writeFileSync(join(setting.directory, 'world', 'events.csv'), 'time,datacenter,state\n');
const { topology } = setting.world;
const datacenters = topology.datacenters.map(({ id }): string => id);
const edges = topology.edges.map(({ id }): string => id);
const of = `/v1/services/${service}`;
let directories = 0;

/** Stopped after the test, whose journal must then replay byte for byte. */
async function running(spec: object = {}, more: Record<string, unknown> = {}): Promise<Run> {
  const name = `publication-${directories++}`;
  const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service }, spec };
  writeFileSync(join(setting.directory, `${name}.yaml`), stringify(policy));
  const server = await run(setting, {
    dataDirectory: name,
    policy: `${name}.yaml`,
    clock: { epochWall: '50ms' },
    ...more,
  });
  onTestFinished(async () => {
    await server.stop();
    for (const path of await journalFiles(join(setting.directory, String(more['dataDirectory'] ?? name), 'journal'))) {
      expect((await replayJournal(path)).difference, path).toBe(null);
    }
  });
  return server;
}

async function get(server: Run, path: string) {
  return JSON.parse(await (await fetch(`${server.url}${path}`)).text());
}

async function post(server: Run, path: string, body: object) {
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
  const reply = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = JSON.parse(await reply.text());
  return { status: reply.status, detail: String(answer.detail ?? ''), body: answer };
}

/** Some epochs from now. */
async function epochsLater(server: Run, count: number) {
  const from = server.epochs.length + count;
  return server.epoch((epoch) => server.epochs.indexOf(epoch) >= from);
}

const frozen = { kind: 'freeze', id: 'still', author: 'test', reason: 'test' };

/** The table in force, with all buckets of some edges at one datacenter. */
async function tableWith(server: Run, moved: readonly string[], target: number): Promise<EncodedTable> {
  const { edges: bodies } = await get(server, `${of}/tables/current`);
  const parsed = edges.map((id) => parseBody(JSON.stringify(bodies[id].body), id));
  const [first] = parsed;
  const table: RoutingTable = {
    treeVersion: first!.treeVersion,
    height: first!.height,
    targets: first!.targets,
    edges: topology.edges.map(({ id }) => id),
    byEdge: parsed.map(({ assignment }, e) => (moved.includes(edges[e]!) ? assignment.map(() => target) : assignment)),
  };
  return encodeTable(table);
}

test('history is a chain of versions that name their author, reason, term and the recorded inputs they came from', async () => {
  const server = await running();
  await server.epoch(({ version }) => version >= 3);
  const { versions } = await get(server, `${of}/tables?limit=1000`);
  expect(versions.length).toBeGreaterThanOrEqual(3);
  for (const [i, version] of versions.entries()) {
    expect(version.parent).toBe(versions[i + 1]?.version ?? 0);
    expect(version).toMatchObject({ author: 'taiji', cause: 'epoch', term: versions[0].term });
    expect(version.reason).toContain(`epoch ${version.epoch}: `);
  }
  const [path] = await journalFiles(join(setting.directory, `publication-${directories - 1}`, 'journal'));
  const lines = readFileSync(path!, 'utf8').split('\n');
  for (const { epoch, inputsSha256 } of versions) {
    const line = lines.find((text) => text.includes(`"record":{"kind":"inputs","epoch":${epoch},`));
    expect(line?.slice(0, 80)).toContain(inputsSha256);
  }
  const moved = async (from: number, to: number): Promise<number> =>
    (await get(server, `${of}/diff?from=${from}&to=${to}`)).diff.movedShare;
  const [{ version: newest }, { version: before }] = versions;
  // On the demand last planned on: both ways are compared where no epoch has looked at another one in between.
  for (let there = await moved(before, newest); ; ) {
    const back = await moved(newest, before);
    const again = await moved(before, newest);
    expect(again).toBeGreaterThan(0);
    if (there === again) {
      expect(back).toBeCloseTo(there, 12);
      break;
    }
    there = again;
  }
  expect((await get(server, `${of}/diff?from=999`)).detail).toMatch(/^from is "999", expected a version that is kept/);
});

test('a rollback is a new version with the old table, and holds until resumed; a drain still empties', async () => {
  const server = await running();
  await server.epoch(({ version }) => version >= 3);
  const done = await post(server, `${of}/rollback`, { version: 1, author: 'ann', reason: 'latency' });
  expect(done.status).toBe(200);
  const { version } = done.body;
  expect(done.body.rollout).toMatchObject({ kind: 'pinned', version: 1, author: 'ann', until: null });
  const first = await get(server, `${of}/tables/1`);
  const now = await get(server, `${of}/tables/${version}`);
  const [info] = (await get(server, `${of}/tables?limit=1`)).versions;
  expect(now.tableSha256).toBe(first.tableSha256);
  expect(info).toMatchObject({ version, cause: 'rollback', author: 'ann', reason: 'latency', restores: 1 });

  const held = await epochsLater(server, 4);
  expect(held).toMatchObject({ version, outcome: 'unchanged' });
  expect(held.reason).toMatch(/^frozen by ann: held at version 1 until resumed: latency|^nothing-to-move$/);
  const { alerts } = await get(server, '/v1/edges');
  expect(alerts['publication-pinned']).toBe('held at version 1 by ann: latency');
  expect((await post(server, `${of}/rollback`, { version, author: 'ann', reason: 'x' })).status).toBe(409);
  expect((await post(server, `${of}/rollback`, { version: 999, author: 'ann', reason: 'x' })).detail).toMatch(
    /^version 999 was never in force or is no longer kept; the oldest kept is 1$/,
  );

  await post(server, '/v1/intents', {
    kind: 'drain',
    id: 'gone',
    datacenter: datacenters[0],
    author: 'bob',
    reason: 'fire',
  });
  await server.epoch(({ churn }) => churn.forced > 0);
  const { edges: drained } = await get(server, '/v1/edges');
  for (const { fractions } of drained) expect(fractions[datacenters[0]!]).toBe(0);
  const refused = await post(server, `${of}/rollback`, { version: 2, author: 'ann', reason: 'x', force: true });
  expect(refused.detail).toMatch(
    new RegExp(
      `^version 2 cannot be gone back to: edge .* on ${datacenters[0]}, which may hold none.*; this cannot be forced$`,
    ),
  );
  const resumed = await post(server, `${of}/resume`, { author: 'ann' });
  expect(resumed.body.rollout).toEqual({ kind: 'open' });
  await epochsLater(server, 1);
  expect((await get(server, '/v1/edges')).alerts).not.toHaveProperty('publication-pinned');
  expect((await post(server, `${of}/resume`, { author: 'ann' })).status).toBe(409);
});

test('a rollback that is held for a while ends by itself', async () => {
  const server = await running();
  await server.epoch(({ version }) => version >= 2);
  const done = await post(server, `${of}/rollback`, { version: 1, author: 'ann', reason: 'a look', for: '300ms' });
  const rolled = server.epochs.length;
  const version = Number(done.body.version);
  await server.epoch((epoch) => server.epochs.indexOf(epoch) > rolled && epoch.version > version);
  expect((await get(server, `${of}/rollout`)).rollout).toEqual({ kind: 'open' });
});

test('where the policy asks for an approval nothing moves by choice without one, and only what was looked at', async () => {
  const server = await running({ approval: 'operator' });
  await server.epoch(({ outcome }) => outcome === 'initial');
  const offered = async () => {
    for (;;) {
      // Without a pause, so that a plan that is listed before anybody is told of it is caught.
      const { plans } = await get(server, `${of}/plans`);
      if (plans.length > 0) return plans[0];
    }
  };
  const plan = await offered();
  const { alerts } = await get(server, '/v1/edges');
  const told = /^plan (\w+) would move .* taiji apply \1$/.exec(alerts['publication-waiting'])?.[1];
  const { plans: listed } = await get(server, `${of}/plans`);
  expect(listed.map(({ id }: { id: string }) => id)).toContain(told);
  expect(plan).toMatchObject({ origin: 'epoch', base: { version: 1 }, refusals: [] });
  expect(plan.churn.elective).toBeGreaterThan(0);
  expect((await epochsLater(server, 3)).version).toBe(1);
  const wrong = await post(server, `/v1/plans/${plan.id}/apply`, { author: 'ann', checksum: '0'.repeat(64) });
  expect(wrong.detail).toMatch(
    new RegExp(`^plan ${plan.id} has the checksum ${plan.checksum}, not 0+: it is not what was`),
  );
  const done = await post(server, `/v1/plans/${plan.id}/apply`, { author: 'ann', checksum: plan.checksum });
  expect(done.body).toMatchObject({ version: 2, rollout: { kind: 'open' }, stored: true });
  expect((await get(server, `${of}/tables/2`)).tableSha256).toBe(plan.tableSha256);
  const [info] = (await get(server, `${of}/tables?limit=1`)).versions;
  expect(info).toMatchObject({ cause: 'plan', author: 'ann', plan: plan.checksum, inputsSha256: plan.inputsSha256 });
  expect((await post(server, `/v1/plans/${plan.id}/apply`, { author: 'ann' })).status).toBe(404);

  await post(server, '/v1/intents', { kind: 'drain', datacenter: datacenters[0], author: 'bob', reason: 'fire' });
  const forced = await server.epoch(({ churn }) => churn.forced > 0);
  expect(forced.version).toBe(3);
});

test('a plan over a limit is refused with the numbers, and forced only with a reason, which is recorded', async () => {
  const server = await running();
  await server.epoch(({ version }) => version > 0);
  await post(server, '/v1/intents', frozen);
  await server.epoch(({ reason }) => reason?.startsWith('frozen') ?? false);
  const [edge] = edges;
  const fractions = (await get(server, '/v1/edges')).edges[0].fractions;
  const least = datacenters.reduce((a, b) => (fractions[b] < fractions[a] ? b : a));
  const table = await tableWith(server, [edge!], datacenters.indexOf(least));
  const made = await post(server, `${of}/plans`, { author: 'ann', table });
  expect(made.status).toBe(201);
  const { id } = made.body.plan;
  const refused = await post(server, `/v1/plans/${id}/apply`, { author: 'ann' });
  expect(refused.status).toBe(409);
  expect(refused.detail).toMatch(/^frozen by test: test; /);
  expect(refused.detail).toMatch(
    new RegExp(`churn 0\\.\\d{3} of demand is over 0\\.05, most of it at ${edge} \\([01]\\.\\d\\d of its demand\\)`),
  );
  expect(refused.detail).toMatch(/; --force needs a reason$/);
  const unreasoned = await post(server, `/v1/plans/${id}/apply`, { author: 'ann', force: true });
  expect(unreasoned.status).toBe(422);
  const { version } = (await get(server, `${of}/rollout`)) as { version: number };
  const done = await post(server, `/v1/plans/${id}/apply`, { author: 'ann', force: true, reason: 'agreed' });
  expect(done.body).toMatchObject({ version: version + 1, stored: true });
  expect(done.body.churn).toBeGreaterThan(0.05);
  const after = (await get(server, '/v1/edges')).edges[0].fractions;
  expect(after[least]).toBeCloseTo(1, 9);
  const stale = await post(server, `/v1/plans/${id}/apply`, { author: 'ann', force: true, reason: 'again' });
  expect(stale.status).toBe(404);
  expect((await post(server, `${of}/plans`, { author: 'ann', table: { format: 'x' } })).status).toBe(422);
});

test('a plan made on a version that is no longer in force is refused, and the refusal says how to make one that holds', async () => {
  const server = await running();
  await server.epoch(({ version }) => version > 0);
  const made = await post(server, `${of}/plans`, { author: 'ann', table: await tableWith(server, [edges[0]!], 0) });
  const { id, base } = made.body.plan;
  const { version } = await server.epoch((epoch) => epoch.version > base.version);
  const stale = await post(server, `/v1/plans/${id}/apply`, { author: 'ann', force: true, reason: 'late' });
  expect(stale.status).toBe(409);
  const said = /^plan (\w+) was made on version (\d+), and (\d+) is in force; make another plan \(taiji freeze keeps/;
  const [, plan, on, now] = said.exec(stale.detail) ?? [];
  expect([plan, Number(on)], stale.detail).toEqual([id, base.version]);
  expect(Number(now)).toBeGreaterThanOrEqual(version);
});

test('a hold and plans that wait outlive a restart', async () => {
  const dataDirectory = 'restarted';
  const server = await running({}, { dataDirectory });
  await server.epoch(({ version }) => version >= 2);
  const done = await post(server, `${of}/rollback`, { version: 1, author: 'ann', reason: 'latency' });
  const table = await tableWith(server, [edges[1]!], 0);
  const made = await post(server, `${of}/plans`, { author: 'ann', table });
  await server.stop();

  const again = await running({}, { dataDirectory });
  expect((await get(again, `${of}/rollout`)).rollout).toEqual(done.body.rollout);
  await epochsLater(again, 1);
  expect((await get(again, `${of}/rollout`)).version).toBe(done.body.version);
  expect((await get(again, `${of}/plans`)).plans.map(({ id }: { id: string }) => id)).toEqual([made.body.plan.id]);
  const apply = (more: object) =>
    post(again, `/v1/plans/${made.body.plan.id}/apply`, { author: 'ann', reason: 'y', ...more });
  expect((await apply({})).detail).toMatch(
    /^held at version 1 by ann: latency; resume first, or --force with a reason$/,
  );
  expect((await apply({ force: true })).body.rollout).toEqual({ kind: 'open' });
});

test('an edge that has acknowledged the body it is meant to have is current, and no other', async () => {
  const server = await running();
  await server.epoch(({ version }) => version > 0);
  await post(server, '/v1/intents', frozen);
  await server.epoch(({ reason }) => reason?.startsWith('frozen') ?? false);
  const appliedAt = '2026-11-01T00:00:00Z';
  const { edges: before } = await get(server, `${of}/rollout`);
  expect(before.map(({ isCurrent }: { isCurrent: boolean }) => isCurrent)).toEqual(edges.map(() => false));
  const { sha256 } = before[0];
  expect((await post(server, `/v1/edges/${edges[0]}/acks`, { sha256, appliedAt })).body.isCurrent).toBe(true);
  expect((await post(server, `/v1/edges/${edges[1]}/acks`, { sha256, appliedAt })).body.isCurrent).toBe(false);
  const { edges: after } = await get(server, `${of}/rollout`);
  expect(after[0]).toMatchObject({ edge: edges[0], isCurrent: true, applied: { sha256, at: appliedAt } });
  expect(after[1].isCurrent).toBe(false);
  expect((await post(server, '/v1/edges/nowhere/acks', { sha256, appliedAt })).status).toBe(404);
  const health = { requests: 1, errors: 2, latencyMs: 3 };
  expect((await post(server, `/v1/edges/${edges[0]}/acks`, { sha256, appliedAt, health })).detail).toMatch(
    /more errors/,
  );
});

/** Ten reports of each edge, of the body it is meant to have. */
async function report(server: Run, errorsAt: (edge: string) => number): Promise<void> {
  const { edges: now } = await get(server, `${of}/rollout`);
  for (let i = 0; i < 10; i++) {
    for (const { edge, sha256 } of now) {
      const health = { requests: 5000, errors: errorsAt(edge), latencyMs: 40 + (i % 3) };
      const ack = { sha256, appliedAt: '2026-11-01T00:00:00Z', health };
      expect((await post(server, `/v1/edges/${edge}/acks`, ack)).status).toBe(202);
    }
  }
}

/** A plan of the whole fleet, tried at the first edge. */
async function trying(canaryFor: string) {
  const [edge] = edges;
  const server = await running({ approval: 'operator', canary: { edges: [edge], for: canaryFor } });
  await server.epoch(({ version }) => version > 0);
  await epochsLater(server, 0);
  await report(server, () => 5);
  const base = (await get(server, `${of}/tables/current`)) as { version: number; tableSha256: string };
  const { fractions } = (await get(server, '/v1/edges')).edges[0];
  const least = datacenters.reduce((a, b) => (fractions[b] < fractions[a] ? b : a));
  const table = await tableWith(server, edges.slice(0, 3), datacenters.indexOf(least));
  const made = await post(server, `${of}/plans`, { author: 'ann', table });
  const { id, tableSha256 } = made.body.plan;
  const asked = { author: 'ann', force: true, reason: 'a try' };
  const done = await post(server, `/v1/plans/${id}/apply`, asked);
  expect(done.body.rollout, done.detail).toMatchObject({ kind: 'canary', base: base.version, edges: [edge], plan: id });
  const { diff } = await get(server, `${of}/diff?from=${base.version}&to=${done.body.version}`);
  expect(diff.edges.map((one: { edge: string }) => one.edge)).toEqual([edge]);
  const [info] = (await get(server, `${of}/tables?limit=1`)).versions;
  expect(info).toMatchObject({ version: done.body.version, cause: 'canary', author: 'ann' });
  return { server, base, id, tableSha256, canaryVersion: Number(done.body.version) };
}

test('a canary that does well goes on to every edge when its time is over', async () => {
  const { server, canaryVersion, tableSha256 } = await trying('2s');
  await report(server, () => 5);
  await server.epoch(({ version }) => version > canaryVersion);
  const now = await get(server, `${of}/tables/current`);
  expect(now).toMatchObject({ tableSha256, cause: 'promoted', version: canaryVersion + 1 });
  expect(now.reason).toMatch(/^a try; canary: errors rose by /);
  expect((await get(server, `${of}/rollout`)).rollout).toEqual({ kind: 'open' });
});

test('a canary that does badly returns by itself, long before its time is over, and stays returned', async () => {
  const { server, base, canaryVersion } = await trying('10m');
  await report(server, (edge) => (edge === edges[0] ? 900 : 5));
  const back = await server.epoch(({ version }) => version > canaryVersion);
  const now = await get(server, `${of}/tables/current`);
  expect(now).toMatchObject({ tableSha256: base.tableSha256, cause: 'returned', restores: base.version });
  expect((await get(server, '/v1/edges')).alerts['canary-returned']).toContain(`version ${canaryVersion} failed at`);
  expect((await epochsLater(server, 3)).version).toBe(back.version);
  expect((await post(server, `${of}/resume`, { author: 'ann' })).body.rollout.kind).toBe('open');
});

test('a canary of which edges say nothing stays and says so; a reason takes it further', async () => {
  const { server, id, tableSha256, canaryVersion } = await trying('200ms');
  for (;;) {
    const told = (await get(server, '/v1/edges')).alerts['canary-undecided'];
    if (told) {
      expect(told).toContain(`version ${canaryVersion} stays at ${edges[0]} alone: the canary edges `);
      break;
    }
    await epochsLater(server, 0);
  }
  expect((await epochsLater(server, 3)).version).toBe(canaryVersion);
  expect((await post(server, `/v1/plans/${id}/apply`, { author: 'ann' })).detail).toMatch(/wait for its verdict/);
  const done = await post(server, `/v1/plans/${id}/apply`, { author: 'ann', force: true, reason: 'seen elsewhere' });
  expect(done.body).toMatchObject({ version: canaryVersion + 1, rollout: { kind: 'open' } });
  expect((await get(server, `${of}/tables/current`)).tableSha256).toBe(tableSha256);
});

test('without an approval a canary begins by itself, and a datacenter that is drained ends it', async () => {
  const tried = edges.slice(0, 3);
  const server = await running({ canary: { edges: tried, for: '10m' } });
  await server.epoch(({ reason }) => reason?.startsWith(`frozen by taiji: version`) ?? false);
  const { rollout } = await get(server, `${of}/rollout`);
  expect(rollout).toMatchObject({ kind: 'canary', author: 'taiji', edges: tried });
  const { diff } = await get(server, `${of}/diff?from=${rollout.base}&to=${rollout.version}`);
  for (const { edge } of diff.edges) expect(tried).toContain(edge);
  await post(server, '/v1/intents', { kind: 'drain', datacenter: datacenters[0], author: 'bob', reason: 'fire' });
  await server.epoch(({ churn }) => churn.forced > 0);
  const { edges: drained } = await get(server, '/v1/edges');
  for (const { fractions } of drained) expect(fractions[datacenters[0]!]).toBe(0);
});
