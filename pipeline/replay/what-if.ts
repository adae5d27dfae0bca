/** A world and a policy with edits made to them, before anything is planned: the same `planEpoch` then answers "what if".
 *  Edits apply in the order written. Each is held to the range of the file it stands for, and the policy as a whole goes
 *  through its schema again, so that no edit can ask what a file could not. Nothing given is changed in place. */

import { checked } from '../../config/checked.ts';
import { ConfigError } from '../../config/errors.ts';
import { type Policy, policySchema } from '../../config/policy.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { capacityRpsLeast } from '../../config/topology.ts';
import type { World } from '../../config/world.ts';
import { type DatacenterState, normalState } from '../../runtime/inputs.ts';
import type { Edit } from './edits.ts';

export interface WhatIf {
  readonly world: World;
  readonly policy: Policy;
  /** [datacenter] observed, as the edits make them; a state no edit changes is the one given. */
  readonly statesOf: (observed: readonly DatacenterState[]) => readonly DatacenterState[];
}

/** Throws a ConfigError where an edit leads out of range, or the policy and the places no longer fit. */
export function applyEdits(world: World, policy: Policy, edits: readonly Edit[]): WhatIf {
  const edited = { world: editedWorld(world, edits), policy: editedPolicy(policy, edits) };
  if (edits.length > 0) {
    checkPolicyFor(edited.policy, edited.world.topology, '--what-if');
  }
  return { ...edited, statesOf: (observed) => editedStates(observed, edits) };
}

function editedWorld(world: World, edits: readonly Edit[]): World {
  const { topology, demand } = world;
  const capacityRps = Float64Array.from(topology.datacenters, (datacenter) => datacenter.capacityRps);
  const rttMs = topology.rttMs.slice();
  const rps = demand.rps.slice();
  const width = topology.edges.length;
  const capacityRange = { least: capacityRpsLeast, most: Number.MAX_SAFE_INTEGER, unit: 'rps' };
  const rpsRange = { most: Number.MAX_SAFE_INTEGER, unit: 'rps' };
  const resources = topology.resources?.map(({ name, capacity }) => ({ name, capacity: capacity.slice() }));
  for (const edit of edits) {
    if (edit.kind === 'capacity') {
      for (const d of edit.indices) {
        const was = capacityRps[d]!;
        change(capacityRps, d, edit, capacityRange);
        // What else a datacenter has shrinks and grows as its capacity does.
        for (const { capacity } of resources ?? []) capacity[d] = inProportion(capacity[d]!, was, capacityRps[d]!);
      }
    }
    if (edit.kind === 'resource') {
      const { capacity } = resources!.find(({ name }) => name === edit.resource)!;
      for (const d of edit.indices) change(capacity, d, edit, { most: Number.MAX_SAFE_INTEGER, unit: edit.resource });
    }
    if (edit.kind === 'rtt') for (const i of edit.indices) change(rttMs, i, edit, { most: 60_000, unit: 'ms' });
    if (edit.kind === 'demand') {
      for (const e of edit.indices) for (let i = e; i < rps.length; i += width) change(rps, i, edit, rpsRange);
    }
  }
  const datacenters = topology.datacenters.map((datacenter, d) => ({ ...datacenter, capacityRps: capacityRps[d]! }));
  // Services grow and shrink as the demand of all.
  const services = world.services?.map(({ service, rps: own }) => ({
    service,
    rps: own.map((asks, i) => inProportion(asks, demand.rps[i]!, rps[i]!)),
  }));
  return {
    ...world,
    topology: { ...topology, datacenters, rttMs, ...(resources && { resources }) },
    demand: { ...demand, rps },
    ...(services && { services }),
  };
}

function inProportion(value: number, was: number, is: number): number {
  return was === is || was === 0 ? value : (value / was) * is;
}

interface Range {
  readonly least?: number; // of what is not 0
  readonly most: number;
  readonly unit: string;
}

function change(
  values: Float64Array,
  i: number,
  edit: Edit & { value: number },
  { least = 0, most, unit }: Range,
): void {
  const was = values[i]!;
  const is = edited(was, edit);
  if (!(is === 0 || (is > 0 && is >= least && is <= most))) {
    throw new ConfigError(
      `${edit.where}: ${edit.text} makes ${was} ${unit} ${is}, expected ${least > 0 ? `0 or ${least}` : 0}..${most} ${unit}`,
    );
  }
  values[i] = is;
}

function edited(was: number, { operator, value }: Edit & { value: number }): number {
  return operator === '=' ? value : operator === '*=' ? was * value : was + value;
}

function editedStates(observed: readonly DatacenterState[], edits: readonly Edit[]): readonly DatacenterState[] {
  return observed.map((state, d) => {
    const keep = edits.reduce(
      (was, edit) => (edit.kind === 'state' && edit.indices.includes(d) ? edited(was, edit) : was),
      state.keep,
    );
    if (keep === state.keep) return state;
    return keep === 1 ? normalState : { keep, refill: false, cause: 'what-if', untilMs: null };
  });
}

type PolicyEdit = Edit & { readonly kind: 'policy' };

function editedPolicy(policy: Policy, edits: readonly Edit[]): Policy {
  const ofPolicy = edits.filter(
    (edit): edit is PolicyEdit =>
      edit.kind === 'policy' && (edit.service === null || edit.service === policy.metadata.service),
  );
  if (ofPolicy.length === 0) return policy;
  const spec = ofPolicy.reduce<unknown>((value, edit) => withValue(value, edit.path, edit, 'spec'), policy.spec);
  const whereOf = (path: readonly PropertyKey[]): string => {
    const below = path.slice(1).map(String);
    const blamed = ofPolicy.findLast((edit) => below.every((key, i) => i >= edit.path.length || edit.path[i] === key));
    return (blamed ?? ofPolicy[0]!).where;
  };
  return checked(policySchema, { ...policy, spec }, whereOf);
}

/** `value` with what stands at `path` in it edited. A key that is not there yet is made: the schema judges it. */
function withValue(value: unknown, path: readonly string[], edit: PolicyEdit, place: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return editedValue(value, edit, place);
  if (Array.isArray(value)) {
    if (!(Number(key) < value.length)) {
      throw new ConfigError(
        `${edit.where}: ${place} is a list of ${value.length}, expected a number below that after it`,
      );
    }
    return value.map((item: unknown, i) => (i === Number(key) ? withValue(item, rest, edit, `${place}.${key}`) : item));
  }
  if (value !== undefined && (typeof value !== 'object' || value === null)) {
    throw new ConfigError(`${edit.where}: ${place} is ${JSON.stringify(value)} and holds no ${key}; end the key there`);
  }
  const inner: unknown = value !== undefined && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  return { ...value, [key]: withValue(inner, rest, edit, `${place}.${key}`) };
}

function editedValue(was: unknown, edit: PolicyEdit, place: string): unknown {
  const { operator, value } = edit;
  if (operator === '=') return value;
  if (typeof was !== 'number' || typeof value !== 'number') {
    const found = was === undefined ? 'not given' : JSON.stringify(was);
    throw new ConfigError(`${edit.where}: ${place} is ${found}, expected a number for ${operator}; set it with =`);
  }
  return edited(was, { ...edit, value });
}
