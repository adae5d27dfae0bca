import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readWorld, writeWorld } from '../../config/load.ts';
import { checkDistinct, checkGroup } from '../../config/policy-group.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { worldOfService } from '../../config/world.ts';
import { policyOf } from '../scene.ts';
import { complaintOf, scratchDirectory, smallWorld } from './small-world.ts';

const demand =
  'time,service,fra,nyc\n2026-03-02T00:00:00Z,web,400,100\n2026-03-02T00:00:00Z,chat,40,10\n2026-03-02T00:05:00Z,chat,50,10\n2026-03-02T00:05:00Z,web,410,90\n';
const datacenters =
  'datacenter,lat,lon,capacity_rps,service\nashburn,39.04,-77.49,900,web\nashburn,39.04,-77.49,90,chat\ndublin,53.35,-6.26,600,web\ndublin,53.35,-6.26,0,chat\n';
const resources =
  'datacenter,resource,capacity\nashburn,cores,40\ndublin,cores,30\nashburn,memory,8\ndublin,memory,0\n';
const services = { 'demand.csv': demand, 'datacenters.csv': datacenters, 'resources.csv': resources };

const policyFor = (service: string, spec: Record<string, unknown> = {}) => ({
  ...policyOf(spec),
  metadata: { service },
});

describe('a world of several services', () => {
  test('has the demand of each and of all, and what each datacenter has for them', () => {
    const world = readWorld(smallWorld(services));
    expect([...world.demand.rps]).toEqual([440, 110, 460, 100]);
    expect([...worldOfService(world, 'chat', 'p').demand.rps]).toEqual([40, 10, 50, 10]);
    expect(world.topology.datacenters.map(({ capacityRps }) => capacityRps)).toEqual([990, 600]);
    expect(world.topology.resources?.map(({ name, capacity }) => [name, ...capacity])).toEqual([
      ['cores', 40, 30],
      ['memory', 8, 0],
      ['requests.chat', 90, 0],
      ['requests.web', 900, 600],
    ]);
  });

  test('is the same once written and read again', () => {
    const world = readWorld(
      smallWorld({ ...services, 'edges.csv': 'edge,city,lat,lon,unsteered\nfra,F,50,8,0.25\nnyc,N,40,-74,\n' }),
    );
    const dir = scratchDirectory();
    writeWorld(dir, world);
    expect(readWorld(dir)).toEqual(world);
    expect(world.topology.edges[0]!.unsteered).toBe(0.25);
  });

  test('written over by a world without resources leaves none behind', () => {
    const dir = scratchDirectory();
    writeWorld(dir, readWorld(smallWorld(services)));
    expect(readFileSync(join(dir, 'resources.csv'), 'utf8')).toContain('cores');
    const plain = readWorld(smallWorld());
    writeWorld(dir, plain);
    expect(readWorld(dir)).toEqual(plain);
  });

  test.each([
    [
      'demand.csv',
      demand.replace('00:05:00Z,chat', '00:10:00Z,chat'),
      /service "web" and another do not both have a row for 2026-03-02T00:10:00Z/,
    ],
    ['demand.csv', demand.replace('Z,chat,40', 'Z,,40'), /demand\.csv:3: service "" is not a name/],
    [
      'datacenters.csv',
      datacenters.replace('39.04,-77.49,90,', '39,-77,90,'),
      /:3: datacenter "ashburn" is at two places/,
    ],
    ['datacenters.csv', datacenters.replace('90,chat', '0,chat'), /capacity_rps is 0 everywhere for service "chat"/],
    [
      'datacenters.csv',
      datacenters.replace('dublin,53.35,-6.26,0,chat', 'ashburn,39.04,-77.49,90,chat'),
      /:5: datacenter "ashburn for chat" is given twice/,
    ],
    [
      'resources.csv',
      resources.replace('dublin,memory,0\n', ''),
      /no capacity of "memory" at datacenter "dublin"; add the row/,
    ],
    [
      'resources.csv',
      resources.replace('dublin,cores', 'dublim,cores'),
      /:3: unknown datacenter "dublim" \(did you mean "dublin"\?\)/,
    ],
    ['resources.csv', resources.replace('40', '-4'), /:2: capacity is "-4", expected/],
    [
      'resources.csv',
      resources.replace('ashburn,cores', 'ashburn,requests.web'),
      /:2: resource "requests.web" is not a name, or one of capacity_rps/,
    ],
  ])('%s that is wrong is refused with its place', (name, text, complaint) => {
    expect(complaintOf(() => readWorld(smallWorld({ ...services, [name]: text })))).toMatch(complaint);
  });

  test('a policy for a service it does not have, or a resource nobody has, is refused with what there is', () => {
    const world = readWorld(smallWorld(services));
    expect(complaintOf(() => worldOfService(world, 'chap', 'p.yaml'))).toBe(
      'p.yaml: the world has no demand of service "chap" (did you mean "chat"?); it has chat, web',
    );
    const greedy = policyFor('web', { resources: { core: 1 } });
    expect(complaintOf(() => checkPolicyFor(greedy, world.topology, 'p.yaml'))).toMatch(
      /spec\.resources names unknown resource "core" \(did you mean "cores"\?\)/,
    );
  });
});

test('what no datacenter has for the service is refused, not planned as no load', () => {
  const none = readWorld(
    smallWorld({ ...services, 'resources.csv': resources.replace('ashburn,memory,8', 'ashburn,memory,0') }),
  );
  const hungry = policyFor('web', { resources: { requests: 1, memory: 1 } });
  expect(complaintOf(() => checkPolicyFor(hungry, none.topology, 'p.yaml'))).toMatch(
    /no datacenter has any of "memory", which the service draws on/,
  );
  const { topology } = readWorld(smallWorld(services));
  expect(complaintOf(() => checkPolicyFor(policyFor('mail'), topology, 'p.yaml'))).toMatch(
    /gives capacity by service and none to "mail"/,
  );
  expect(() => checkPolicyFor(policyFor('mail', { resources: { cores: 1 } }), topology, 'p.yaml')).not.toThrow();
});

describe('policies of one group', () => {
  test('say one thing of what they share', () => {
    const [web, chat] = [policyFor('web'), policyFor('chat', { guards: { churnMax: 0.01 }, latencyMsMax: 100 })];
    expect(() => checkGroup([web, chat])).not.toThrow();
    expect(complaintOf(() => checkGroup([web, policyFor('chat', { utilizationMax: 0.8 })]))).toBe(
      'policies "web" and "chat" draw on the same resources, but spec.utilizationMax is 1 in one and 0.8 in the other; make them the same',
    );
    expect(complaintOf(() => checkGroup([web, policyFor('chat', { guards: { onloadMax: 0.1 } })]))).toMatch(
      /spec\.guards\.onloadMax is 0\.04 in one and 0\.1/,
    );
  });

  test('are for one service each', () => {
    expect(complaintOf(() => checkDistinct([policyFor('web'), policyFor('web')]))).toBe(
      'two policies are for service "web"; give one',
    );
  });
});
