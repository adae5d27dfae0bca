/** Telemetry from the real Prometheus, which scrapes an exporter of ours: what it says, what it no longer says, and what
 *  it refuses. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPrometheus } from '../../runtime/io/prometheus-client.ts';
import type { PrometheusSignal } from '../../runtime/prometheus.ts';
import { bothServices, run, servicesSetting, smallSetting } from '../pipeline/server/small-setting.ts';
import { removeLater } from './scratch.ts';

const program = process.env['TAIJI_PROMETHEUS'] ?? '/usr/bin/prometheus';
const isThere = existsSync(program);
if (!isThere) {
  process.stdout.write(
    `skipped: telemetry from Prometheus: no ${program}; apt-get install prometheus, or set TAIJI_PROMETHEUS\n`,
  );
}

describe.skipIf(!isThere)('telemetry from a real Prometheus', () => {
  const setting = smallSetting();
  const severalServices = servicesSetting();
  const { topology } = setting.world;
  const { edges, datacenters } = topology;
  const [first, second] = datacenters.map(({ id }): string => id) as [string, string];
  const abnormal = new Set<string>();
  const unhealthy = new Set<string>();
  let exporter: Server;
  let exported = true;
  const askedRps = { chat: 40, web: 60 }; // of each edge
  let rttSeconds = Math.round(topology.rttMs[0]!) / 1000;
  let prometheus: ChildProcess;
  let url: string;
  let said = '';

  /** Each edge has two balancers; the second edge asks 210. */
  function metrics(): string {
    const rps = edges.flatMap(({ id }, e) =>
      [0, 1].map((pod) => `edge_rps{edge="${id}",pod="${pod}"} ${50 + 55 * e - pod}`),
    );
    const ofServices = Object.entries(askedRps).flatMap(([service, asked]) =>
      edges.map(({ id }, e) => `service_rps{service="${service}",edge="${id}"} ${asked + e}`),
    );
    const shares = edges.flatMap(({ id }) =>
      datacenters.map((dc, d) => `edge_share{edge="${id}",datacenter="${dc.id}"} ${d === 0 ? 1 : 0}`),
    );
    // The first edge's users measure their way to the first datacenter; nobody else does.
    const trips = [0, 1].map(
      (pod) => `edge_rtt_seconds{edge="${edges[0]!.id}",datacenter="${first}",pod="${pod}"} ${rttSeconds + pod / 1000}`,
    );
    const states = datacenters.flatMap(({ id }) => [
      `dc_up{datacenter="${id}"} ${abnormal.has(id) ? 0 : 1}`,
      `dc_errors{datacenter="${id}"} ${unhealthy.has(id) ? 0.2 : 0.001}`,
    ]);
    const sessions = [0, 1].map(
      (pod) => `edge_sessions{edge="${edges[1]!.id}",datacenter="${second}",pod="${pod}"} ${60 + pod}`,
    );
    return `${[...rps, ...ofServices, ...shares, ...trips, ...sessions, ...states, 'nothing NaN'].join('\n')}\n`;
  }

  beforeAll(async () => {
    exporter = createServer((_, response) => {
      if (exported) response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(metrics());
      else response.writeHead(500).end();
    });
    const exporterPort = await listen(exporter);
    const probe = createServer();
    const port = await listen(probe);
    await new Promise((resolve) => probe.close(resolve));
    const dir = removeLater();
    mkdirSync(join(dir, 'data'));
    writeFileSync(
      join(dir, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
        scrape_configs: [{ job_name: 'fleet', static_configs: [{ targets: [`127.0.0.1:${exporterPort}`] }] }],
      }),
    );
    const flags = ['config.file=prometheus.yml', 'storage.tsdb.path=data', `web.listen-address=127.0.0.1:${port}`];
    prometheus = spawn(
      program,
      flags.map((flag) => `--${flag}`),
      { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    prometheus.stderr!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    url = `http://127.0.0.1:${port}`;
    for (let tries = 0; (await ask()).demandRps.includes(null); tries++) {
      if (tries > 600 || prometheus.exitCode !== null)
        throw new Error(`Prometheus does not scrape: ${said.slice(-1000)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  afterAll(async () => {
    exporter?.close();
    if (!prometheus) return;
    const ended = new Promise((resolve) => prometheus.once('exit', resolve));
    if (prometheus.exitCode === null && prometheus.kill()) await ended;
  });

  const stated: Record<PrometheusSignal, string> = {
    demandRps: 'sum by (edge) (edge_rps)',
    demandObservedAt: 'min by (edge) (timestamp(edge_rps))',
    datacenterUp: 'min by (datacenter) (dc_up)',
    datacenterHealthy: 'max by (datacenter) (dc_errors) < bool 0.05',
    rttMs: 'avg by (edge, datacenter) (edge_rtt_seconds) * 1000',
    rttObservedAt: 'min by (edge, datacenter) (timestamp(edge_rtt_seconds))',
    allocation: 'avg by (edge, datacenter) (edge_share)',
    sessions: 'sum by (edge, datacenter) (edge_sessions)',
    sessionsObservedAt: 'min by (edge, datacenter) (timestamp(edge_sessions))',
  };

  function ask(more: Partial<Record<PrometheusSignal, string>> = {}) {
    const queries = new Map(Object.entries({ ...stated, ...more }) as [PrometheusSignal, string][]);
    return readPrometheus({ url, queries, timeoutMs: 10_000 }, topology, Date.now());
  }

  test('every signal comes to its place, with the time of its last scrape', async () => {
    const { demandRps, up, healthy, rttMs, allocation, sessions, notes } = await ask();
    expect(notes).toEqual([]);
    expect(demandRps.map((reading) => reading!.value)).toEqual(edges.map((_, e) => 99 + 110 * e));
    for (const reading of demandRps) expect(Math.abs(Date.now() - reading!.observedAtMs)).toBeLessThan(60_000);
    expect([up, healthy].map((row) => row.map((reading) => reading!.value))).toEqual([
      datacenters.map(() => 1),
      datacenters.map(() => 1),
    ]);
    expect(rttMs[0]!.value).toBeCloseTo(rttSeconds * 1000 + 0.5, 6);
    expect(Math.abs(Date.now() - rttMs[0]!.observedAtMs)).toBeLessThan(60_000);
    expect(rttMs.slice(1).every((reading) => reading === null)).toBe(true);
    expect(sessions.map((reading) => reading?.value ?? null)).toEqual(
      edges.flatMap((_, e) => datacenters.map((__, d) => (e === 1 && d === 1 ? 121 : null))),
    );
    expect(allocation.map((reading) => reading!.value)).toEqual(
      edges.flatMap(() => datacenters.map((_, d) => (d === 0 ? 1 : 0))),
    );
  });

  test('what it refuses or answers in another form is a note in its own words, and the rest counts', async () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['sum by (edge', /^query demandRps: bad_data: .*parse error/],
      ['42', /^query demandRps: it gives a scalar, expected an instant vector$/],
      ['edge_rps[1m]', /^query demandRps: (bad_data: .*|it gives a matrix, expected an instant vector)$/],
      ['edge_rps', /^query demandRps: several series for one edge; aggregate it, as in "sum by \(edge\) \(\.\.\.\)"$/],
      ['sum(edge_rps)', /^query demandRps: 1 series without edge; aggregate it/],
      ['edge_rps * on(edge) group_right edge_rps', /^query demandRps: execution: /],
    ];
    for (const [query, note] of cases) {
      const answer = await ask({ demandRps: query });
      expect(answer.notes, query).toEqual([expect.stringMatching(note)]);
      expect(
        answer.demandRps.every((reading) => reading === null),
        query,
      ).toBe(true);
      expect(answer.up.map((reading) => reading?.value)).toEqual(datacenters.map(() => 1));
    }
    const none = await ask({ demandRps: 'no_such_metric' });
    expect([none.notes, none.demandRps]).toEqual([[], edges.map(() => null)]); // absent, hence missing
    const nan = await ask({ demandRps: 'sum by (edge) (edge_rps) * scalar(nothing)' });
    expect(nan.demandRps.map((reading) => reading!.value)).toEqual(edges.map(() => Number.NaN));
  });

  test('the control plane steers by it, alerts of what is unhealthy, and holds by name once the exporter is gone', async () => {
    for (const name of ['demand.csv', 'events.csv', 'friends.csv.gz']) rmSync(join(setting.directory, 'world', name));
    const telemetry = {
      kind: 'prometheus',
      topology: { dir: 'world' },
      url,
      queries: stated,
      limits: { fillFor: '1s' },
    };
    unhealthy.add(first);
    const server = await run(setting, { telemetry, clock: { epochWall: '200ms' } });
    const next = (holds: (epoch: (typeof server.epochs)[number]) => boolean) => {
      const from = server.epochs.length;
      return server.epoch((epoch) => server.epochs.indexOf(epoch) >= from && holds(epoch));
    };
    const alerts = async () => JSON.parse(await (await fetch(`${server.url}/v1/edges`)).text()).alerts;
    try {
      const initial = await server.epoch(({ version }) => version > 0);
      expect(initial.utilization[first]).toBeGreaterThan(0);
      await expect.poll(alerts, { timeout: 30_000 }).toMatchObject({
        'service-unhealthy': `unhealthy by their service metrics: ${first}`,
        'allocation-contradicting': expect.stringMatching(/^allocation of edge ".+" differs/),
      });
      const rtt = async () => JSON.parse(await (await fetch(`${server.url}/v1/edges`)).text()).edges[0].rttMs[first];
      expect(await rtt()).toBe(topology.rttMs[0]); // as the world has it, within the band
      rttSeconds += 0.05;
      await expect.poll(rtt, { timeout: 30_000 }).toBeGreaterThan(topology.rttMs[0]! + 40);
      abnormal.add(second);
      await next(({ utilization }) => utilization[second] === 0);
      exported = false; // at the next scrape Prometheus marks all of its series stale
      const held = await next(
        ({ outcome, reason }) => outcome === 'held' && /no edge has a usable demand/.test(reason!),
      );
      expect(held.reason).toContain(`demandRps of edge "${edges[0]!.id}" is missing`);
      expect(Object.keys(await alerts())).toContain('telemetry-failing');
      exported = true;
      await next(({ outcome }) => outcome === 'published' || outcome === 'unchanged');
    } finally {
      await server.stop();
    }
  });

  test('each service is asked for by its own name', async () => {
    const queries = {
      demandRps: 'sum by (edge) (service_rps{service="$service"})',
      datacenterUp: stated.datacenterUp,
    };
    const telemetry = { kind: 'prometheus', topology: { dir: 'world' }, url, queries };
    abnormal.clear();
    const server = await run(severalServices, { ...bothServices, telemetry, clock: { epochWall: '200ms' } });
    try {
      for (const [service, asked] of Object.entries(askedRps)) {
        await server.epoch((epoch) => epoch.service === service && epoch.version > 0);
        const answer = await fetch(`${server.url}/v1/edges?service=${service}`);
        const { edges: told } = JSON.parse(await answer.text());
        expect(told.map(({ demandRps }: { demandRps: number }) => demandRps)).toEqual(edges.map((_, e) => asked + e));
      }
    } finally {
      await server.stop();
    }
  });
});

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
