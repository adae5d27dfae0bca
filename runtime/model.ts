/** What may move where: the epoch's inputs turned into amounts of load (DESIGN section 4). Load is counted in
 *  thousandths of the group's total, for tiny right-hand sides fall under solver tolerances. A commodity is the load of
 *  one service at one edge. Its load is kept apart by what may become of it: what no table moves (`settled`: established
 *  sessions), what stays unless it is moved by choice (`base`), what has to leave because a datacenter's state or the
 *  policy's residency demands it (`forced`), and what moves by choice. The guards bind the last kind only. */

import type { Topology } from '../config/topology.ts';
import { tieBrokenCosts, type UtilizationPrice, utilizationPrices } from './costs.ts';
import { everywhere, nowhere } from './everywhere.ts';
import { groundsOf, leaveOutFar, opennessOf } from './grounds.ts';
import type { RuntimeInputs } from './inputs.ts';
import { bytes, doubles } from './lp/pieces.ts';
import { type Meeting, meetingAt } from './meeting.ts';
import type { Pools } from './pools.ts';
import { standingOf } from './standing.ts';

export const totalLoad = 1000;

export interface Model {
  readonly services: number;
  readonly edges: number;
  readonly commodities: number; // c = s * E + e
  readonly service: Int32Array; // [c]
  readonly datacenters: number;
  readonly load: Float64Array; // [c] > 0: what a table places; with what is settled it sums to totalLoad
  readonly settled: Float64Array; // [c * D + d] load there that no table moves
  readonly resources: number;
  readonly capacity: Float64Array; // [k = r * D + d] of a pool, in load units: utilization = load / capacity
  readonly use: Float64Array; // [s * R + r] of the pool, a unit of the service's load
  readonly base: Float64Array; // [c * D + d] load that stays unless moved by choice
  readonly forced: Float64Array; // [c] load to be placed anew
  readonly mayGain: Uint8Array; // [c * D + d] 1 where more of the load may go
  readonly couldGain: Uint8Array; // [c * D + d] 1 where it may or could go, were it not for latencyMsMax and hold-down
  readonly tooFar: Uint8Array; // [c * D + d] 1 beyond latencyMsMax
  readonly heldDown: Uint8Array; // [s * D + d] 1: well, and barred from gaining
  readonly gives: readonly Give[]; // how far limits give, each once; none of what is not named here
  readonly beyondP95: Uint8Array; // [c * D + d] 1 where no more than a twentieth should be
  readonly pinned: Float64Array; // [c * D + d] load wanted there by a pin; NaN where there is none
  readonly hasPins: boolean;
  readonly shareMax: Float64Array; // [s] of an edge's load on one datacenter
  readonly churnWeight: Float64Array; // [c] demand that changes target, a unit of load moved
  readonly emergencyMax: number; // utilization allowed after the loss of any one datacenter; Infinity: not asked for
  readonly fallbackWeight: Float64Array; // [c * D + d] by which load of a lost datacenter falls on the others; empty where emergencyMax is not asked for
  readonly rttCost: Float64Array; // [c * D + d] latency, squared under `balance`, with the tie-break; a unit of load
  readonly moveCost: Float64Array; // [c * D + d] a unit of load moved there by choice
  readonly meeting: Meeting | null; // what friends who meet are worth; null: no policy pays for it
  readonly utilizationPrices: readonly UtilizationPrice[]; // ascending; none but under `priced`
  readonly still: Uint8Array; // [c] 1 where nothing moves by choice: no demand to judge by, not due, frozen, or nowhere to go
  readonly stuck: readonly number[]; // commodities that a state or residency would empty, and that have nowhere to go
  readonly nowhere: readonly (string | null)[]; // [s] an edge, where that is all of the service, or where it has no table yet
  readonly isNew: Uint8Array; // [s] 1: no table yet, everything is placed anew
  readonly initial: boolean; // no service has a table yet
}

/** Limits that can give in part, in the order in which they give, the first last. */
export const givingOrder = ['latencyMsMax', 'holdDown', 'latencyMsP95Max', 'emergencyMax', 'pins', 'shareMax'] as const;
export type GivingLimit = (typeof givingOrder)[number];

/** A limit may be broken by so much in all. In load units: what is beyond latencyMsMax, what arrives at datacenters that
 *  are held down, and the misses of the other limits. */
export interface Give {
  readonly limit: GivingLimit;
  readonly most: number;
}

/** One service's part of a model. */
export interface ServiceSetting {
  readonly inputs: RuntimeInputs;
  readonly retained: Float64Array; // [e * D + d] the largest fraction a datacenter's state lets it keep (1 where normal)
  readonly isStill?: boolean; // nothing of it moves by choice
}

export type BuiltModel =
  | { readonly kind: 'model'; readonly model: Model }
  | { readonly kind: 'nowhere'; readonly edge: string };

/** Commodities without demand count as this share of the whole, so that they too find a place. */
const idleShare = 1e-6;

/** Of one service that shares nothing. */
export function buildModel(inputs: RuntimeInputs, retained: Float64Array): BuiltModel {
  return buildGroupModel([{ inputs, retained }]);
}

/** Of services that are solved together. A commodity that has nowhere to go stays as it is and is told. A service of which
 *  nothing can go anywhere is load that stays, or none where it has no table yet; `nowhere` where that is all services. */
export function buildGroupModel(settings: readonly ServiceSetting[]): BuiltModel {
  const { topology, policy } = settings[0]!.inputs;
  const services = settings.map(({ inputs }) => inputs);
  const edges = topology.edges.length;
  const datacenters = topology.datacenters.length;
  const commodities = settings.length * edges;
  const grounds = groundsOf(services);
  const { pools, isUsable } = grounds;
  const open = opennessOf(grounds, settings);
  const { couldGain, heldDown, fallbackWeight } = open;
  let { mayGain, tooFar } = open;
  const amounts = weighedLoad(settings, pools);
  const base = doubles(commodities * datacenters);
  const forced = doubles(commodities);
  const still = bytes(commodities);
  const stuck: number[] = [];
  const lostAt: (string | null)[] = [];
  for (const [s, setting] of settings.entries()) {
    const { inputs, retained } = setting;
    const { served } = inputs;
    let stuckEdges = 0;
    let lost: string | null = null;
    for (let e = 0; e < edges; e++) {
      const c = s * edges + e;
      const load = amounts.load[c]!;
      let stays = 0;
      const from = c * datacenters;
      for (let i = from, own = e * datacenters; served && i < from + datacenters; i++, own++) {
        const share = served[own]!;
        if (share === 0 || isUsable[i] === 0) continue;
        const stay = load * Math.min(share, retained[own]!);
        base[i] = stay;
        stays += stay;
      }
      // Below a billionth it is the rounding of sums, not load.
      forced[c] = load - stays > 1e-9 * load ? load - stays : 0;
      if (setting.isStill || (served && (inputs.demandRps[e] === 0 || inputs.frozenEdges?.[e] === 1))) still[c] = 1;
      if (forced[c] === 0 || isOpenAt(mayGain, from, datacenters)) continue;
      // A datacenter that flaps and is well now is better than nowhere.
      if (isOpenAt(couldGain, from, datacenters)) {
        if (mayGain === open.mayGain) [mayGain, tooFar] = [mayGain.slice(), tooFar.slice()];
        mayGain.set(couldGain.subarray(from, from + datacenters), from);
        leaveOutFar(inputs, e * datacenters, from, grounds.isResident, mayGain, tooFar);
        continue;
      }
      if (!served) lost ??= topology.edges[e]!.id;
      stuck.push(c);
      stuckEdges += 1;
      still[c] = 1;
      forced[c] = 0;
      for (let d = 0; d < datacenters && served; d++) base[from + d] = load * served[e * datacenters + d]!;
    }
    lostAt.push(lost ?? (stuckEdges === edges ? topology.edges[0]!.id : null));
    if (lost !== null) forced.fill(0, s * edges, (s + 1) * edges);
  }
  if (lostAt.every((edge) => edge !== null)) return { kind: 'nowhere', edge: lostAt[0]! };
  let meanRttMs = 0;
  const pairs = edges * datacenters;
  for (const i of standingOf(base, datacenters).pairs) meanRttMs += (base[i]! / totalLoad) * topology.rttMs[i % pairs]!;
  const costs = tieBrokenCosts(services, meanRttMs);
  return {
    kind: 'model',
    model: {
      services: services.length,
      edges,
      commodities,
      service: grounds.service,
      datacenters,
      ...amounts,
      resources: pools.resources,
      use: pools.use,
      base,
      forced,
      mayGain,
      couldGain,
      tooFar,
      heldDown,
      gives: [],
      beyondP95: beyondP95(services, mayGain),
      ...pinnedLoad(services, amounts.load),
      shareMax: grounds.shareMax,
      fallbackWeight,
      emergencyMax: policy.spec.emergencyMax ?? Number.POSITIVE_INFINITY,
      rttCost: costs.rttCost,
      // Demand without a bucket has nothing to lose by a move.
      moveCost: steered(costs.moveCost, topology),
      meeting: meetingAt(services, amounts.load, () => sharesOf(base, amounts.load)),
      utilizationPrices: utilizationPrices(policy),
      still,
      stuck,
      nowhere: lostAt,
      isNew: Uint8Array.from(services, ({ served }) => (served === null ? 1 : 0)),
      initial: services.every(({ served }) => served === null),
    },
  };
}

function isOpenAt(marks: Uint8Array, from: number, datacenters: number): boolean {
  for (let i = from; i < from + datacenters; i++) if (marks[i] === 1) return true;
  return false;
}

/** Is any pair marked? An epoch asks many times of the same thousands. */
export function hasAny(marks: Uint8Array): boolean {
  const before = anyKnown.get(marks);
  if (before !== undefined) return before;
  const any = marks.includes(1);
  anyKnown.set(marks, any);
  return any;
}

const anyKnown = new WeakMap<Uint8Array, boolean>();

/** Is there load anywhere? */
export function holdsAny(load: Float64Array): boolean {
  const before = holdsKnown.get(load);
  if (before !== undefined) return before;
  const any = load.some((amount) => amount !== 0);
  holdsKnown.set(load, any);
  return any;
}

const holdsKnown = new WeakMap<Float64Array, boolean>();

export function withoutPins({ pinned }: Model): Pick<Model, 'pinned' | 'hasPins'> {
  return { pinned: everywhere(Number.NaN, pinned.length), hasPins: false };
}

/** Is the datacenter of `i` = c * D + d held down for its service? */
export function isHeldDown({ heldDown, service, datacenters }: Model, i: number): boolean {
  return heldDown[service[Math.floor(i / datacenters)]! * datacenters + (i % datacenters)] === 1;
}

/** [c * D + d] load as fractions of the commodity's. */
export function sharesOf(loadAt: Float64Array, load: Float64Array): Float64Array {
  const datacenters = loadAt.length / load.length;
  const shares = new Float64Array(loadAt.length);
  for (let c = 0, i = 0; c < load.length; c++) {
    for (let d = 0; d < datacenters; d++, i++) shares[i] = loadAt[i]! / load[c]!;
  }
  return shares;
}

/** Of the costs [c * D + d], the part that users with a bucket pay. */
function steered(moveCost: Float64Array, { edges, datacenters }: Topology): Float64Array {
  if (!edges.some(({ unsteered = 0 }) => unsteered > 0)) return moveCost;
  const paid = new Float64Array(moveCost.length);
  for (let from = 0, c = 0; from < paid.length; c++, from += datacenters.length) {
    const share = 1 - (edges[c % edges.length]!.unsteered ?? 0);
    for (let i = from; i < from + datacenters.length; i++) paid[i] = moveCost[i]! * share;
  }
  return paid;
}

/** Load in thousandths of the whole, and the pools in the same unit. */
function weighedLoad(
  settings: readonly ServiceSetting[],
  pools: Pools,
): Pick<Model, 'load' | 'settled' | 'churnWeight' | 'capacity'> {
  const { topology } = settings[0]!.inputs;
  const edges = topology.edges.length;
  const datacenters = topology.datacenters.length;
  const load = doubles(settings.length * edges);
  let demandTotal = 0;
  for (let c = 0; c < load.length; c++) {
    const s = Math.floor(c / edges);
    load[c] = settings[s]!.inputs.demandRps[c - s * edges]! * pools.weight[s]!;
    demandTotal += load[c]!;
  }
  let shareTotal = 0;
  for (let c = 0; c < load.length; c++) {
    load[c] = demandTotal > 0 ? Math.max(load[c]! / demandTotal, idleShare) : 1;
    shareTotal += load[c]!;
  }
  for (let c = 0; c < load.length; c++) load[c] = (load[c]! / shareTotal) * totalLoad;
  const isSettled = settings.some(({ inputs }) => inputs.established);
  const pairs = load.length * datacenters;
  const settled = isSettled ? new Float64Array(pairs) : everywhere(0, pairs);
  const churnWeight = doubles(load.length);
  settings.forEach(({ inputs }, s) => {
    const { established } = inputs;
    for (let e = 0; e < edges; e++) {
      const c = s * edges + e;
      const whole = load[c]!;
      const steered = 1 - (topology.edges[e]!.unsteered ?? 0);
      if (established && inputs.demandRps[e]! > 0) {
        const shareOf = (d: number): number => established[e * datacenters + d]! / inputs.demandRps[e]!;
        let sum = 0;
        for (let d = 0; d < datacenters; d++) sum += shareOf(d);
        // More sessions than the demand foreseen: some will have ended. A trace of new ones there always is.
        const keep = sum > 1 - newSessionsMin ? (1 - newSessionsMin) / sum : 1;
        for (let d = 0; d < datacenters; d++) {
          const stays = shareOf(d) * keep * whole;
          settled[c * datacenters + d] = stays;
          load[c]! -= stays;
        }
      }
      churnWeight[c] = (whole / load[c]!) * steered;
    }
  });
  const capacity = pools.capacity.map((units) => within(demandTotal > 0 ? (units / demandTotal) * totalLoad : units));
  return { load, settled, churnWeight, capacity };
}

/** A capacity that the engines can compute with: a million times the load is as good as more, a millionth as less. */
function within(capacity: number): number {
  return capacity === 0 ? 0 : Math.min(Math.max(capacity, 1e-6 * totalLoad), 1e6 * totalLoad);
}

/** Of a sticky service's sessions at an edge, at least this share is new in an epoch. */
const newSessionsMin = 1e-3;

/** Nothing where all that is open lies beyond: a limit nobody can keep says nothing. */
function beyondP95(services: readonly RuntimeInputs[], mayGain: Uint8Array): Uint8Array {
  if (services.every(({ policy }) => policy.spec.latencyMsP95Max === null)) return nowhere(mayGain.length);
  const beyond = new Uint8Array(mayGain.length);
  services.forEach(({ topology, policy }, s) => {
    const { latencyMsP95Max } = policy.spec;
    if (latencyMsP95Max === null) return;
    const datacenters = topology.datacenters.length;
    const pairs = topology.rttMs.length;
    for (let from = 0; from < pairs; from += datacenters) {
      const isFar = (d: number): boolean => topology.rttMs[from + d]! > latencyMsP95Max;
      const open = mayGain.subarray(s * pairs + from, s * pairs + from + datacenters);
      if (!open.some((may, d) => may === 1 && !isFar(d))) continue;
      for (let d = 0; d < datacenters; d++) beyond[s * pairs + from + d] = isFar(d) ? 1 : 0;
    }
  });
  return beyond;
}

function pinnedLoad(services: readonly RuntimeInputs[], load: Float64Array): Pick<Model, 'pinned' | 'hasPins'> {
  const { topology } = services[0]!;
  const datacenters = topology.datacenters.length;
  const edges = topology.edges.length;
  let pinned = everywhere(Number.NaN, load.length * datacenters);
  let hasPins = false;
  services.forEach(({ policy, startMs }, s) => {
    for (const pin of policy.spec.pins) {
      if (pin.until !== undefined && startMs >= Date.parse(pin.until)) continue;
      const e = topology.edges.findIndex(({ id }) => id === pin.edge);
      const d = topology.datacenters.findIndex(({ id }) => id === pin.datacenter);
      const c = s * edges + e;
      if (e < 0 || d < 0) continue;
      if (!hasPins) pinned = pinned.slice();
      pinned[c * datacenters + d] = pin.fraction * load[c]!;
      hasPins = true;
    }
  });
  return { pinned, hasPins };
}
