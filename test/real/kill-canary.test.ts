/** The built program, killed with -9 before every single write of what becomes of a canary: that of its beginning, that of
 *  its promotion to all edges, that of its return. No edge ever sees a table that was not published whole, versions never go
 *  back, and after a restart the verdict is carried out, once. */

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { serviceId } from '../../config/ids.ts';
import type { Evidence } from '../../pipeline/publish/canary.ts';
import { openEmbeddedStore } from '../../pipeline/publish/io/embedded-store.ts';
import { readPublished } from '../../pipeline/publish/publisher.ts';
import { encodeHead, type Head, headKey } from '../../pipeline/publish/snapshot.ts';
import { parseBody } from '../../pipeline/table/compile.ts';
import { encodeTable, type RoutingTable } from '../../pipeline/table/routing-table.ts';
import { isBuilt, type Process, run, service, smallSetting, spawnServe } from '../pipeline/server/small-setting.ts';
import { killAtVariable, killPoints, type Write, writesOf } from './kill-points.ts';
import { expectJournalsReplay, unlock } from './killed.ts';
import { tableOf, Watcher } from './watcher.ts';

const setting = smallSetting();
const { topology } = setting.world;
const edges = topology.edges.map(({ id }): string => id);
const of = `/v1/services/${service}`;
/** One epoch, and then none for longer than the test. */
const config = { clock: { epochWall: '10m' } };

writeFileSync(
  join(setting.directory, 'policy.yaml'),
  stringify({
    apiVersion: 'taiji/v1',
    kind: 'Policy',
    metadata: { service },
    spec: { approval: 'operator', canary: { edges: [edges[0]], for: '10m' } },
  }),
);

type Ask = (path: string, body: object) => Promise<unknown>;

/** A plan of the table in force with all of three edges at one datacenter, tried at the first. */
async function beginCanary(url: string, ask: Ask): Promise<void> {
  const { edges: bodies } = JSON.parse(await (await fetch(`${url}${of}/tables/current`)).text());
  const parsed = edges.map((id) => parseBody(JSON.stringify(bodies[id].body), id));
  const byEdge = parsed.map(({ assignment }, e) => (e < 3 ? assignment.map((d) => (d + 1) % 2) : assignment));
  const { treeVersion, height, targets } = parsed[0]!;
  const table: RoutingTable = { treeVersion, height, targets, edges: topology.edges.map(({ id }) => id), byEdge };
  const made = (await ask(`${of}/plans`, { author: 'ann', table: encodeTable(table) })) as { plan?: { id: string } };
  if (made?.plan) await ask(`/v1/plans/${made.plan.id}/apply`, { author: 'ann', force: true, reason: 'a try' });
}

function asking(url: string, token: string): Ask {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  return async (path, body) => {
    const reply = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return JSON.parse(await reply.text());
  };
}

function evidenceWith(errorsSince: number): Evidence {
  const record = (errors: number) => ({
    reports: 10,
    requests: 50_000,
    errors,
    latencyMsSum: 50_000 * 40,
    latencyMs2Sum: 50_000 * 1600,
  });
  return {
    canary: { before: record(50), during: record(errorsSince) },
    control: { before: record(50), during: record(50) },
  };
}

async function headOf(dataDirectory: string, change?: (head: Head) => Head) {
  const store = await openEmbeddedStore(join(setting.directory, dataDirectory, 'store'));
  const { head, headRevision, snapshot, damaged } = await readPublished(store, serviceId(service, 'test'));
  if (change) {
    const { term } = await store.lease();
    await store.put(headKey(head!.service), encodeHead(change(head!)), { term, expected: headRevision });
  }
  return { head: head!, snapshot: snapshot!, damaged };
}

/** An epoch is due at once. */
function due(head: Head): Head {
  return { ...head, generatedAtMs: head.generatedAtMs - 3_600_000 };
}

/** Serves a copy of a directory until it is killed. */
async function serving(
  from: string,
  to: string,
  killAt: number,
  watcher: Watcher | null,
  begins: boolean,
): Promise<Process> {
  cpSync(join(setting.directory, from), join(setting.directory, to), { recursive: true });
  const shell = `export ${killAtVariable}=${killAt}`;
  const server = spawnServe(setting, { ...config, dataDirectory: to }, shell, ['--import', killPoints]);
  const said = await server.line(({ msg }) => msg === 'serving');
  if (!said) return server;
  const url = String(said['url']);
  const watching = watcher?.watch(url);
  if (await server.line(({ msg }) => msg === 'epoch')) {
    if (!begins) await server.line(({ msg }) => msg === 'table replaced');
    else await beginCanary(url, asking(url, readFileSync(String(said['tokenFile']), 'utf8').trim())).catch(() => {}); // killed while it answered
  }
  if (killAt === 0) server.child.kill('SIGKILL');
  await server.exit;
  await watching;
  return server;
}

interface Walk {
  readonly what: string;
  readonly begins: boolean; // the canary is begun by the process that is killed
  readonly evidence: Evidence | null; // that is in the head when it starts
  readonly ends: string; // kind of the rollout after it
  readonly cause: string; // of the last version
}

const walks: readonly Walk[] = [
  { what: 'its beginning', begins: true, evidence: null, ends: 'canary', cause: 'canary' },
  { what: 'its promotion', begins: false, evidence: evidenceWith(50), ends: 'open', cause: 'promoted' },
  { what: 'its return', begins: false, evidence: evidenceWith(9000), ends: 'pinned', cause: 'returned' },
];

describe.skipIf(!isBuilt)('the built program, killed before every write of a canary', () => {
  for (const [w, { what, begins, evidence, ends, cause }] of walks.entries()) {
    test(
      `${what}: no edge sees half a table or an older one, and it comes about once`,
      { timeout: 600_000 },
      async () => {
        const prepared = `prepared-${w}`;
        const server = await run(setting, { dataDirectory: prepared, clock: { epochWall: '50ms' } });
        await server.epoch(({ version }) => version > 0);
        const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
        if (!begins) {
          await beginCanary(server.url, async (path, body) => {
            const reply = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
            return JSON.parse(await reply.text());
          });
        }
        await server.stop();
        const { head: before } = await headOf(prepared, (head) => {
          const old = { ...head, generatedAtMs: head.generatedAtMs - 3_600_000 }; // so that an epoch is due at once
          if (!evidence || head.rollout?.kind !== 'canary') return old;
          return { ...old, rollout: { ...head.rollout, evidence, untilMs: 0 } };
        });
        expect(before.rollout?.kind ?? 'open').toBe(begins ? 'open' : 'canary');
        const tables = [tableOf((await headOf(prepared)).snapshot)];

        const reference = await serving(prepared, `reference-${w}`, 0, null, begins);
        unlock(join(setting.directory, `reference-${w}`));
        const writes = writesOf(reference.stderr());
        const { head: last, snapshot } = await headOf(`reference-${w}`);
        expect(last.version).toBe(before.version + 1);
        expect(last.rollout?.kind ?? 'open').toBe(ends);
        tables.push(tableOf(snapshot));
        expect(writes.length).toBeGreaterThan(10);

        let next = 0;
        const walk = async (): Promise<void> => {
          while (next < writes.length) await expectSafe(writes[next++]!, tables, before.version);
        };
        await Promise.all([walk(), walk()]);
      },
    );

    async function expectSafe({ number, what: write }: Write, tables: readonly string[], base: number): Promise<void> {
      const dataDirectory = `killed-${w}-${number}`;
      const where = `${what}, killed before write ${number}, ${write}`;
      const watcher = new Watcher(edges, tables);
      const server = await serving(`prepared-${w}`, dataDirectory, number, watcher, begins);
      expect(await server.exit, where).toEqual({ code: null, signal: 'SIGKILL' });
      unlock(join(setting.directory, dataDirectory));
      const { snapshot, damaged } = await headOf(dataDirectory);
      expect(damaged, where).toEqual([]);
      expect(tables, where).toContain(tableOf(snapshot));
      expect(snapshot.version, where).toBeGreaterThanOrEqual(watcher.newest);
      // The verdict comes with an epoch: with the next one, where the one that was killed had ended.
      if (!begins) await headOf(dataDirectory, due);

      const again = await run(setting, { ...config, dataDirectory });
      try {
        await watcher.look(again.url);
        if (!begins) await untilAfter(again.url, base, where);
        const { versions } = JSON.parse(await (await fetch(`${again.url}${of}/tables`)).text());
        const { rollout } = JSON.parse(await (await fetch(`${again.url}${of}/rollout`)).text());
        const isThere = versions[0].version > base; // a number that was begun may be skipped
        const later = versions.filter(({ version }: { version: number }) => version > base);
        expect(later.length, where).toBeLessThanOrEqual(1);
        if (isThere) expect(versions[0].cause, where).toBe(cause);
        expect(rollout.kind, where).toBe(isThere ? ends : 'open');
      } finally {
        await again.stop();
      }
      await expectJournalsReplay(join(setting.directory, dataDirectory), where);
      rmSync(join(setting.directory, dataDirectory), { recursive: true });
    }
  }
});

/** The epoch that was lost comes again, and the verdict with it. */
async function untilAfter(url: string, base: number, where: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { versions } = JSON.parse(await (await fetch(`${url}${of}/tables?limit=1`)).text());
    if (versions[0].version > base) return;
    await sleep(50);
  }
  throw new Error(`${where}: no version after ${base} has come in ten seconds`);
}
