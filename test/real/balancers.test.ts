/** Weights read from running load balancers, HAProxy and Envoy: users go where the import says they go. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, createConnection } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { balancerWeights } from '../../pipeline/formats/balancer-weights.ts';
import { removeLater } from './scratch.ts';

const haproxy = process.env['TAIJI_HAPROXY'] ?? '/usr/sbin/haproxy';
const envoy = process.env['TAIJI_ENVOY'] ?? '/usr/bin/envoy';
const [hasHaproxy, hasEnvoy] = [existsSync(haproxy), existsSync(envoy)];
if (!hasHaproxy)
  process.stdout.write(`skipped: HAProxy: no ${haproxy}; apt-get install haproxy, or set TAIJI_HAPROXY\n`);
if (!hasEnvoy) process.stdout.write(`skipped: Envoy: no ${envoy}; install it, or set TAIJI_ENVOY to its binary\n`);

const dir = removeLater();
const datacenters = ['frankfurt', 'dublin', 'ashburn', 'tokyo', 'paris'];
let origins: readonly Server[];
let balancer: ChildProcess;

beforeAll(async () => {
  origins = datacenters.map((name) => createServer((_, response) => response.end(name)));
  await Promise.all(origins.map(listen));
});
afterAll(() => {
  for (const origin of origins) origin.close();
});
afterEach(async () => {
  const ended = new Promise((resolve) => balancer.once('exit', resolve));
  if (balancer.exitCode === null && balancer.kill('SIGKILL')) await ended;
});

describe.skipIf(!hasHaproxy)('a running HAProxy', () => {
  const configuration = join(dir, 'haproxy.cfg');
  const socket = join(dir, 'haproxy.sock');

  const say = async (command: string): Promise<string> => {
    const connection = createConnection(socket);
    connection.end(`${command}\n`);
    return text(connection);
  };
  const start = async (): Promise<number> => {
    const port = await freePort();
    const [frankfurt, dublin, ashburn, tokyo, paris] = origins.map(portOf);
    writeFileSync(
      configuration,
      `global
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  default-server weight 20
frontend users
  bind 127.0.0.1:${port}
  default_backend web
backend web
  balance roundrobin
  server frankfurt 127.0.0.1:${frankfurt} weight 60
  server dublin 127.0.0.1:${dublin} # by default
  default-server disabled
  server ashburn 127.0.0.1:${ashburn} backup enabled
  server tokyo 127.0.0.1:${tokyo} weight 40
  server paris 127.0.0.1:${paris} weight 20 enabled
backend other
  server paris 127.0.0.1:${paris}
`,
    );
    balancer = spawn(haproxy, ['-db', '-f', configuration], { stdio: 'ignore' });
    await isUp(port);
    return port;
  };

  test('says the same in its configuration and its statistics, and shares out users so', async () => {
    const port = await start();
    const expected = { frankfurt: 60, dublin: 20, ashburn: 0, tokyo: 0, paris: 20 };
    expect(read(readFileSync(configuration, 'utf8'))).toEqual(expected);
    expect(read(await say('show stat'))).toEqual(expected);
    expect(await sharesOf(port, 200)).toEqual({ frankfurt: 0.6, dublin: 0.2, paris: 0.2 }); // round robin is exact
  });

  test('says what people have changed since', async () => {
    const port = await start();
    for (const change of [
      'set server web/frankfurt weight 30',
      'set server web/dublin state drain',
      'set server web/tokyo state ready',
      'set server web/paris state maint',
    ]) {
      expect((await say(change)).trim()).toBe('');
    }
    const expected = { frankfurt: 30, dublin: 0, ashburn: 0, tokyo: 40, paris: 0 };
    expect(read(await say('show stat'))).toEqual(expected);
    // Its state does not tell a backup from others.
    expect(read(await say('show servers state'))).toEqual({ ...expected, ashburn: 20 });
    const shares = await sharesOf(port, 140);
    expect(Object.keys(shares).sort()).toEqual(['frankfurt', 'tokyo']);
    expect(shares['tokyo']).toBeCloseTo(40 / 70, 1);
  });
});

describe.skipIf(!hasEnvoy)('a running Envoy', () => {
  test('says in its config dump what it shares out users by', async () => {
    const [port, admin] = [await freePort(), await freePort()];
    const file = join(dir, 'envoy.json');
    writeFileSync(file, JSON.stringify(envoyConfig(port, admin)));
    execFileSync(envoy, ['--mode', 'validate', '-c', file], { stdio: 'pipe' });
    balancer = spawn(envoy, ['--use-dynamic-base-id', '--concurrency', '1', '-c', file], { stdio: 'ignore' });
    await isUp(port);
    const dump = await text(await get(admin, '/config_dump'));
    const found = read(dump);
    expect(found).toEqual({ frankfurt: 60, dublin: 30, ashburn: 10, tokyo: 0 });
    const users = 2000;
    const shares = await sharesOf(port, users);
    expect(shares['tokyo']).toBeUndefined();
    for (const name of ['frankfurt', 'dublin', 'ashburn']) {
      const share = found[name]! / 100;
      const deviation = Math.sqrt((share * (1 - share)) / users); // Envoy draws
      expect(Math.abs(shares[name]! - share), name).toBeLessThan(6 * deviation);
    }
  });
});

function read(text: string): Record<string, number> {
  return Object.fromEntries(balancerWeights(text, 'web', 'file'));
}

function envoyConfig(port: number, admin: number): object {
  const at = (address: number) => ({ socket_address: { address: '127.0.0.1', port_value: address } });
  const weighted = [
    { name: 'frankfurt', weight: 60 },
    { name: 'dublin', weight: 30 },
    { name: 'ashburn', weight: 10 },
    { name: 'tokyo', weight: 0 },
  ];
  const routes = [{ match: { prefix: '/' }, route: { weighted_clusters: { clusters: weighted } } }];
  const type = 'type.googleapis.com/envoy.extensions.filters';
  const manager = {
    '@type': `${type}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'users',
    route_config: { name: 'users', virtual_hosts: [{ name: 'web', domains: ['*'], routes }] },
    http_filters: [{ name: 'router', typed_config: { '@type': `${type}.http.router.v3.Router` } }],
  };
  const filters = [{ name: 'manager', typed_config: manager }];
  const clusters = datacenters.map((name, d) => ({
    name,
    type: 'STATIC',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: at(portOf(origins[d]!)) } }] }],
    },
  }));
  return {
    admin: { address: at(admin) },
    static_resources: { listeners: [{ name: 'users', address: at(port), filter_chains: [{ filters }] }], clusters },
  };
}

/** Where `users` requests are answered, one after the other. */
async function sharesOf(port: number, users: number): Promise<Record<string, number>> {
  const count: Record<string, number> = {};
  for (let user = 0; user < users; user++) {
    const name = await text(await get(port, '/'));
    count[name] = (count[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(count).map(([name, of]) => [name, of / users]));
}

function get(port: number, path: string): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, agent: false }, resolve).once('error', reject).end();
  });
}

async function isUp(port: number): Promise<void> {
  await expect
    .poll(
      () =>
        get(port, '/').then(
          async (answer) => datacenters.includes(await text(answer)),
          () => false,
        ),
      { timeout: 30_000 },
    )
    .toBe(true);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await listen(probe);
  const port = portOf(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
