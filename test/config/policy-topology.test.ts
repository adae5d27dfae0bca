import { expect, test } from 'vitest';
import { readWorld } from '../../config/load.ts';
import { parsePolicy } from '../../config/policy.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { complaintOf, smallWorld } from './small-world.ts';

const policy = (spec: string) =>
  parsePolicy(`apiVersion: taiji/v1\nkind: Policy\nmetadata: { service: web }\nspec: ${spec}\n`, 'web.yaml');

function check(spec: string, dublinRps = 600): string[] {
  const dir = smallWorld({
    'datacenters.csv': `datacenter,lat,lon,capacity_rps\nashburn,39,-77,900\ndublin,53,-6,${dublinRps}\n`,
  });
  return checkPolicyFor(policy(spec), readWorld(dir).topology, 'web.yaml');
}

test('a policy that fits its topology is let through without a word', () => {
  expect(check('{}')).toEqual([]);
  expect(check('{ allowed: [{ edge: fra, datacenters: [dublin] }], guards: { shareMax: 1 } }')).toEqual([]);
  expect(check('{ pins: [{ edge: fra, datacenter: dublin, fraction: 0.3 }], guards: { shareMax: 0.5 } }')).toEqual([]);
});

test.each([
  [
    '{ allowed: [{ edge: frx, datacenters: [dublin] }] }',
    'spec.allowed[0].edge names unknown edge "frx" (did you mean "fra"?); the topology has fra, nyc',
  ],
  [
    '{ allowed: [{ edge: fra, datacenters: [dubln] }] }',
    'spec.allowed[0].datacenters[0] names unknown datacenter "dubln" (did you mean "dublin"?)',
  ],
  ['{ canary: { edges: [frx] } }', 'spec.canary.edges[0] names unknown edge "frx" (did you mean "fra"?)'],
  [
    '{ canary: { edges: [fra, nyc] } }',
    'spec.canary.edges names every edge, and none is left to compare with; leave some out',
  ],
  ['{ pins: [{ edge: frx, datacenter: dublin, fraction: 0.1 }] }', 'spec.pins[0].edge names unknown edge "frx"'],
  [
    '{ pins: [{ edge: fra, datacenter: tokyo, fraction: 0.1 }] }',
    'spec.pins[0].datacenter names unknown datacenter "tokyo"; the topology has ashburn, dublin',
  ],
  [
    '{ pins: [{ edge: fra, datacenter: dublin, fraction: 0.8 }], guards: { shareMax: 0.6 } }',
    'spec.pins[0].fraction is 0.8, above shareMax 0.6; lower it or raise shareMax',
  ],
  [
    '{ guards: { shareMax: 0.4 } }',
    'spec.guards.shareMax is 0.4, too small to place all demand of edge "fra" on its 2 datacenters, expected at least 0.5',
  ],
  [
    '{ allowed: [{ edge: nyc, datacenters: [dublin] }], guards: { shareMax: 0.5 } }',
    'spec.guards.shareMax is 0.5, too small to place all demand of edge "nyc" on its 1 datacenters, expected at least 1',
  ],
])('%s is refused', (spec, expected) => {
  expect(complaintOf(() => check(spec))).toContain(`web.yaml: policy "web": ${expected}`);
});

test('a datacenter of capacity 0 is not one that an edge may depend on', () => {
  expect(complaintOf(() => check('{ allowed: [{ edge: fra, datacenters: [dublin] }] }', 0))).toContain(
    'every datacenter allowed to edge "fra" has capacity 0',
  );
  expect(complaintOf(() => check('{ pins: [{ edge: fra, datacenter: dublin, fraction: 0.1 }] }', 0))).toContain(
    'spec.pins[0] pins "fra" to "dublin", whose capacity is 0',
  );
});

test('a latency limit that an edge cannot keep is a note, since it gives way', () => {
  expect(check('{ latencyMsMax: 20 }')).toEqual([
    'web.yaml: policy "web": spec.latencyMsMax is 20, but edge "fra" has nothing nearer than 25 ms; the limit will give way there',
  ]);
});
