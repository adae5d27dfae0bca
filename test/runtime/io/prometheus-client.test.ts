/** What a Prometheus does that is slow, gone or somebody else: every failure is a note on its query, and none rejects. */

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { generateWorld } from '../../../config/generate.ts';
import { readPrometheus } from '../../../runtime/io/prometheus-client.ts';

const { topology } = generateWorld({ seed: 7, edges: 2, datacenters: 2, users: 50, days: 1 });
const queries = new Map([
  ['demandRps', 'rps'],
  ['datacenterUp', 'up'],
] as const);

async function served(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('queries are asked at the given moment, under the prefix of the url', async () => {
  const asked: string[] = [];
  const url = await served((request, response) => {
    asked.push(request.url!);
    response.end('{"status":"success","data":{"resultType":"vector","result":[]}}');
  });
  const said = await readPrometheus({ url: `${url}/prefix`, queries, timeoutMs: 5000 }, topology, 1_800_000_000_250);
  expect(said.notes).toEqual([]);
  const [first] = asked.sort((p, q) => (p < q ? -1 : 1));
  expect(first).toBe('/prefix/api/v1/query?query=rps&time=1800000000.25&timeout=5000ms');
  expect(asked).toHaveLength(2);
});

test('a query that is not answered in time has failed, and the others count', async () => {
  const url = await served((request, response) => {
    if (request.url!.includes('query=rps')) return; // never
    const result = topology.datacenters.map(({ id }) => ({ metric: { datacenter: id }, value: [1, '1'] }));
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
  });
  const said = await readPrometheus({ url, queries, timeoutMs: 300 }, topology, 0);
  expect(said.notes).toEqual(['query demandRps: no answer within 300 ms']);
  expect(said.up.map((reading) => reading?.value)).toEqual([1, 1]);
  expect(said.demandRps).toEqual([null, null]);
});

test('a body that does not end has failed in time, too', async () => {
  const url = await served((_, response) => void response.write('{"status":'));
  const { notes } = await readPrometheus({ url, queries, timeoutMs: 300 }, topology, 0);
  expect(notes).toEqual(['query demandRps: no answer within 300 ms', 'query datacenterUp: no answer within 300 ms']);
});

test.each<[string, RequestListener, RegExp]>([
  ['cut off', (_, response) => void response.socket!.destroy(), /^query \w+: (UND_ERR_SOCKET|ECONNRESET)$/],
  ['sent elsewhere', (_, response) => void response.writeHead(302, { Location: '/login' }).end(), /redirect/],
  [
    'refused',
    (_, response) => void response.writeHead(401).end('who are you'),
    /HTTP 401 without an answer of Prometheus/,
  ],
  ['flooded', (_, response) => void response.end('x'.repeat(17_000_000)), /over 16777216 bytes/],
])('a query that is %s has failed', async (_, listener, reason) => {
  const { notes } = await readPrometheus({ url: await served(listener), queries, timeoutMs: 10_000 }, topology, 0);
  expect(notes).toEqual([expect.stringMatching(reason), expect.stringMatching(reason)]);
});

test('nobody listening is said in one word', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { notes } = await readPrometheus({ url: `http://127.0.0.1:${port}`, queries, timeoutMs: 5000 }, topology, 0);
  expect(notes).toEqual(['query demandRps: ECONNREFUSED', 'query datacenterUp: ECONNREFUSED']);
});
