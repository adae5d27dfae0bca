/** What an epoch was told that the one before was not: the first question of whoever sees traffic move. */

import { type Intent, intentWords, isInForce } from '../config/intent.ts';
import type { Policy } from '../config/policy.ts';
import { indexById, type Topology } from '../config/topology.ts';
import type { DatacenterState } from './inputs.ts';

/** What people and telemetry say, of one epoch. */
export interface Said {
  readonly startMs: number;
  readonly topology: Topology;
  readonly policy: Policy;
  readonly demandRps: Float64Array; // [edge]
  readonly states: readonly DatacenterState[]; // [datacenter]
  readonly intents: readonly Intent[];
}

export interface InputChange {
  readonly input: 'demand' | 'capacity' | 'rtt' | 'state' | 'intent' | 'policy';
  readonly name: string; // of an edge, a datacenter, both, an intent, a key; `all`
  readonly before: string | number | null; // null: was not there
  readonly after: string | number | null;
  readonly unit: 'rps' | 'ms' | null;
}

/** Changes that concern edge `e` of `after`: its demand and all demand, capacities, its round trips, states, intents, keys
 *  of the policy. */
export function inputChanges(before: Said, after: Said, e: number): readonly InputChange[] {
  return [
    ...demandChanges(before, after, e),
    ...placeChanges(before.topology, after.topology, e),
    ...stateChanges(before, after),
    ...intentChanges(before, after),
    ...policyChanges(before.policy, after.policy),
  ];
}

function demandChanges(before: Said, after: Said, e: number): InputChange[] {
  const { id } = after.topology.edges[e]!;
  const known = indexById(before.topology.edges).get(id);
  const total = ({ demandRps }: Said): number => demandRps.reduce((a, b) => a + b, 0);
  return [
    ...changed('demand', id, known === undefined ? null : before.demandRps[known]!, after.demandRps[e]!, 'rps'),
    ...changed('demand', 'all', total(before), total(after), 'rps'),
  ];
}

function placeChanges(before: Topology, after: Topology, e: number): InputChange[] {
  const edge = after.edges[e]!.id;
  const edgeBefore = indexById(before.edges).get(edge);
  const datacentersBefore = indexById(before.datacenters);
  const gone = before.datacenters.filter(({ id }) => !indexById(after.datacenters).has(id));
  return [
    ...after.datacenters.flatMap(({ id, capacityRps }, d) => {
      const was = datacentersBefore.get(id);
      const rtt = (topology: Topology, from: number, to: number): number =>
        topology.rttMs[from * topology.datacenters.length + to]!;
      const rttBefore = was === undefined || edgeBefore === undefined ? null : rtt(before, edgeBefore, was);
      const capacityBefore = was === undefined ? null : before.datacenters[was]!.capacityRps;
      return [
        ...changed('capacity', id, capacityBefore, capacityRps, 'rps'),
        ...changed('rtt', `${edge} to ${id}`, rttBefore, rtt(after, e, d), 'ms'),
      ];
    }),
    ...gone.flatMap(({ id, capacityRps }) => changed('capacity', id, capacityRps, null, 'rps')),
  ];
}

function stateChanges(before: Said, after: Said): InputChange[] {
  const known = indexById(before.topology.datacenters);
  return after.topology.datacenters.flatMap(({ id }, d) => {
    const was = known.get(id);
    return changed(
      'state',
      id,
      was === undefined ? null : stateWords(before.states[was]!),
      stateWords(after.states[d]!),
    );
  });
}

function stateWords({ keep, cause }: DatacenterState): string {
  if (keep === 1) return 'normal';
  return `${cause === '' ? 'out of service' : cause}, keeps ${keep}`;
}

function intentChanges(before: Said, after: Said): InputChange[] {
  const inForce = ({ intents, startMs }: Said): ReadonlyMap<string, string> =>
    new Map(intents.filter((intent) => isInForce(intent, startMs)).map((intent) => [intent.id, signed(intent)]));
  const [was, is] = [inForce(before), inForce(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((id) =>
    changed('intent', id, was.get(id) ?? null, is.get(id) ?? null),
  );
}

function signed(intent: Intent): string {
  const { author, reason } = intent;
  return `${intentWords(intent)}, by ${author}: ${reason}`;
}

function policyChanges(before: Policy, after: Policy): InputChange[] {
  const [was, is] = [leaves(before), leaves(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((key) =>
    changed('policy', key, was.get(key) ?? null, is.get(key) ?? null),
  );
}

/** Key path -> value, lists as their JSON. */
function leaves(value: object, path = ''): Map<string, string> {
  return new Map(
    Object.entries(value).flatMap(([key, inner]: [string, unknown]): [string, string][] => {
      const at = path === '' ? key : `${path}.${key}`;
      const isGroup = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
      return isGroup ? [...leaves(inner, at)] : [[at, JSON.stringify(inner)]];
    }),
  );
}

function changed(
  input: InputChange['input'],
  name: string,
  before: string | number | null,
  after: string | number | null,
  unit: InputChange['unit'] = null,
): InputChange[] {
  return before === after ? [] : [{ input, name, before, after, unit }];
}
