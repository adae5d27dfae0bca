/** What a group's model stands on, whatever is asked and served: pools, residency, and where load may go at all. Policies,
 *  places and states are the same objects from one epoch to the next, unless somebody changed one, so what is made of them
 *  is made once. A function of its arguments still: equal ones come to equal bytes, whether they were seen before or not. */

import type { Topology } from '../config/topology.ts';
import type { RuntimeInputs } from './inputs.ts';
import { makePools, type Pools } from './pools.ts';
import { isBarredFromGaining } from './states.ts';

/** By policies and places. Changed by nobody. */
export interface Grounds {
  readonly pools: Pools;
  readonly service: Int32Array; // [c]
  readonly isUsable: Uint8Array; // [c * D + d] 1 where the policy lets the edge's users be and there is something to serve them
  readonly isResident: Uint8Array; // [c * D + d] 1 where the policy lets them be
  readonly shareMax: Float64Array; // [s]
}

/** By the grounds and the datacenters' states, nothing being forced. Changed by nobody. */
export interface Openness {
  readonly mayGain: Uint8Array; // [c * D + d] as in `Model`, and so are the others
  readonly couldGain: Uint8Array;
  readonly tooFar: Uint8Array;
  readonly heldDown: Uint8Array; // [s * D + d]
  readonly fallbackWeight: Float64Array;
}

type Stated = Pick<RuntimeInputs, 'topology' | 'policy'>;

interface Known {
  readonly services: readonly Stated[];
  readonly grounds: Grounds;
}

/** By the first service's policy. */
const groundsKnown = new WeakMap<RuntimeInputs['policy'], Known>();

/** All services have the same topology. */
export function groundsOf(services: readonly Stated[]): Grounds {
  const before = groundsKnown.get(services[0]!.policy);
  if (before && isSame(before.services, services)) return before.grounds;
  const grounds = makeGrounds(services);
  groundsKnown.set(services[0]!.policy, {
    services: services.map(({ topology, policy }) => ({ topology, policy })),
    grounds,
  });
  return grounds;
}

/** The same places under the same policies. */
function isSame(before: readonly Stated[], services: readonly Stated[]): boolean {
  if (before.length !== services.length) return false;
  const [one, other] = [before[0]!.topology, services[0]!.topology];
  if (one.edges !== other.edges || one.datacenters !== other.datacenters) return false;
  if (one.resources !== other.resources || one.rttMs !== other.rttMs) return false;
  return before.every(({ policy }, s) => policy === services[s]!.policy);
}

function makeGrounds(services: readonly Stated[]): Grounds {
  const { topology } = services[0]!;
  const datacenters = topology.datacenters.length;
  const edges = topology.edges.length;
  const pairs = edges * datacenters;
  const pools = makePools(services);
  const service = new Int32Array(services.length * edges);
  const isResident = new Uint8Array(services.length * pairs);
  const isUsable = new Uint8Array(services.length * pairs);
  services.forEach((one, s) => {
    service.fill(s, s * edges, (s + 1) * edges);
    const resident = residency(one);
    isResident.set(resident, s * pairs);
    for (let d = 0; d < datacenters; d++) {
      if (!hasRoom(pools, s, d, topology)) continue;
      for (let own = d; own < pairs; own += datacenters) isUsable[s * pairs + own] = resident[own]!;
    }
  });
  const shareMax = Float64Array.from(services, ({ policy }) => policy.spec.guards.shareMax);
  return { pools, service, isUsable, isResident, shareMax };
}

/** Has the datacenter some of everything the service needs? Capacity 0 for requests means it serves nobody. */
function hasRoom({ resources, capacity, use }: Pools, s: number, d: number, topology: Topology): boolean {
  const datacenters = topology.datacenters.length;
  if (!(topology.datacenters[d]!.capacityRps > 0)) return false;
  for (let r = 0; r < resources; r++) {
    if (use[s * resources + r]! > 0 && !(capacity[r * datacenters + d]! > 0)) return false;
  }
  return true;
}

/** [e * D + d] 1 where the policy lets the edge's users be served. Edges it does not name may go anywhere. */
export function residency({ topology, policy }: Stated): Uint8Array {
  const datacenters = topology.datacenters.length;
  const resident = new Uint8Array(topology.edges.length * datacenters).fill(1);
  const mark = (edge: string, isResident: (datacenter: string) => boolean): void => {
    const e = topology.edges.findIndex(({ id }) => id === edge);
    if (e < 0) return;
    topology.datacenters.forEach(({ id }, d) => {
      if (!isResident(id)) resident[e * datacenters + d] = 0;
    });
  };
  for (const rule of policy.spec.allowed) mark(rule.edge, (id) => rule.datacenters.includes(id));
  for (const rule of policy.spec.forbidden) mark(rule.edge, (id) => !rule.datacenters.includes(id));
  return resident;
}

/** What a service's part of a model says of states. */
export interface Retaining {
  readonly inputs: Pick<RuntimeInputs, 'topology' | 'policy' | 'states'>;
  readonly retained: Float64Array; // [e * D + d]
}

const opennessKnown = new WeakMap<Grounds, { readonly settings: readonly Retaining[]; readonly openness: Openness }>();

/** `settings` [s], of which these are the grounds. */
export function opennessOf(grounds: Grounds, settings: readonly Retaining[]): Openness {
  const before = opennessKnown.get(grounds);
  if (before && isAsOpen(before.settings, settings)) return before.openness;
  const openness = makeOpenness(grounds, settings);
  opennessKnown.set(grounds, {
    settings: settings.map(({ inputs: { topology, policy, states }, retained }) => ({
      inputs: { topology, policy, states },
      retained,
    })),
    openness,
  });
  return openness;
}

function isAsOpen(before: readonly Retaining[], settings: readonly Retaining[]): boolean {
  return before.every(({ inputs: { states }, retained }, s) => {
    const now = settings[s]!;
    if (retained !== now.retained) return false;
    return (
      states === now.inputs.states ||
      states.every(({ keep, refill }, d) => {
        const state = now.inputs.states[d]!;
        return keep === state.keep && refill === state.refill;
      })
    );
  });
}

function makeOpenness({ isUsable, isResident }: Grounds, settings: readonly Retaining[]): Openness {
  const { topology, policy } = settings[0]!.inputs;
  const datacenters = topology.datacenters.length;
  const pairs = topology.rttMs.length;
  const mayGain = new Uint8Array(isUsable.length);
  const couldGain = new Uint8Array(isUsable.length);
  const tooFar = new Uint8Array(isUsable.length);
  const hasFallback = policy.spec.emergencyMax !== null;
  const fallbackWeight = new Float64Array(hasFallback ? isUsable.length : 0);
  settings.forEach(({ inputs, retained }, s) => {
    for (let own = 0, i = s * pairs; own < pairs; own++, i++) {
      if (retained[own] !== 1) continue;
      const d = own % datacenters;
      couldGain[i] = isUsable[i]!;
      mayGain[i] = inputs.states[d]!.refill ? isUsable[i]! : 0;
      if (hasFallback && isResident[i] === 1) fallbackWeight[i] = topology.datacenters[d]!.capacityRps;
    }
    for (let from = 0; from < pairs; from += datacenters)
      leaveOutFar(inputs, from, s * pairs + from, isResident, mayGain, tooFar);
  });
  const heldDown = Uint8Array.from(
    settings.flatMap(({ inputs: { states } }) => states),
    (state) => (isBarredFromGaining(state) ? 1 : 0),
  );
  return { mayGain, couldGain, tooFar, heldDown, fallbackWeight };
}

/** Of one commodity, whose pairs begin at `own` among its service's and at `from` among all: what is beyond latencyMsMax
 *  gains nothing. Where nothing is near enough, everything is: somewhere is better than nowhere. */
export function leaveOutFar(
  { topology: { rttMs, datacenters }, policy }: Stated,
  own: number,
  from: number,
  isResident: Uint8Array,
  mayGain: Uint8Array,
  tooFar: Uint8Array,
): void {
  const { latencyMsMax } = policy.spec;
  if (latencyMsMax === null) return;
  const isNear = (d: number): boolean => rttMs[own + d]! <= latencyMsMax;
  const someNear = mayGain.subarray(from, from + datacenters.length).some((open, d) => open === 1 && isNear(d));
  for (let d = 0; d < datacenters.length && someNear; d++) {
    if (isNear(d)) continue;
    tooFar[from + d] = isResident[from + d]!;
    mayGain[from + d] = 0;
  }
}
