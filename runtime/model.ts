/** What may move where: the epoch's inputs turned into amounts of load (DESIGN section 4). Load is counted in
 *  thousandths of the service's total, for tiny right-hand sides fall under solver tolerances. Three kinds of load at an
 *  edge are kept apart: what stays unless it is moved by choice (`base`), what has to leave because a datacenter's state
 *  or the policy's residency demands it (`forced`), and what moves by choice. The guards bind the last kind only. */

import type { Policy } from '../config/policy.ts';
import { hash32 } from '../config/random.ts';
import type { RuntimeInputs } from './inputs.ts';

export const totalLoad = 1000;

export interface Model {
  readonly edges: number;
  readonly datacenters: number;
  readonly load: Float64Array; // [e] > 0, sums to totalLoad
  readonly capacity: Float64Array; // [d] in load units: utilization = load / capacity
  readonly base: Float64Array; // [e * D + d] load that stays unless moved by choice
  readonly forced: Float64Array; // [e] load to be placed anew
  readonly mayGain: Uint8Array; // [e * D + d] 1 where more of the edge's load may go
  readonly tooFar: Uint8Array; // [e * D + d] 1 where the edge could go, were it not for latencyMsMax
  readonly pinned: Float64Array; // [e * D + d] load wanted there by a pin; NaN where there is none
  readonly shareMax: number; // of an edge's load on one datacenter
  readonly rttCost: Float64Array; // [e * D + d] latency, squared under `balance`, with the tie-break; a unit of load
  readonly moveCost: Float64Array; // [e * D + d] a unit of load moved there by choice
  readonly utilizationPrices: readonly UtilizationPrice[]; // ascending; none but under `priced`
  readonly still: Uint8Array; // [e] 1 where nothing moves by choice: no demand to judge by, or nowhere to go
  readonly stuck: readonly number[]; // edges that a state or residency would empty, and that have nowhere to go
  readonly initial: boolean; // no table yet: everything is placed anew
}

/** What a unit of load costs on top of its latency where it lands above a utilization. */
export interface UtilizationPrice {
  readonly above: number;
  readonly cost: number;
}

/** Edges without demand count as this share of the whole, so that they too find a place. */
const idleShare = 1e-6;

/** `retained` [e * D + d]: the largest fraction a datacenter's state lets it keep (1 where it is normal). An edge that has
 *  nowhere to go stays as it is and is told; `nowhere` where that is all of them, or where there is no table yet. */
export function buildModel(
  inputs: RuntimeInputs,
  retained: Float64Array,
): { readonly kind: 'model'; readonly model: Model } | { readonly kind: 'nowhere'; readonly edge: string } {
  const { topology, served, policy } = inputs;
  const edges = topology.edges.length;
  const datacenters = topology.datacenters.length;
  const demandTotal = inputs.demandRps.reduce((a, b) => a + b, 0);
  const share = inputs.demandRps.map((rps) => (demandTotal > 0 ? Math.max(rps / demandTotal, idleShare) : 1));
  const shareTotal = share.reduce((a, b) => a + b, 0);
  const load = share.map((value) => (value / shareTotal) * totalLoad);
  const capacity = Float64Array.from(topology.datacenters, (datacenter) =>
    demandTotal > 0 ? (datacenter.capacityRps / demandTotal) * totalLoad : datacenter.capacityRps,
  );
  const resident = residency(inputs);
  const latencyMsMax = policy.spec.latencyMsMax ?? Number.POSITIVE_INFINITY;
  const mayGain = new Uint8Array(edges * datacenters);
  const tooFar = new Uint8Array(edges * datacenters);
  const base = new Float64Array(edges * datacenters);
  const forced = new Float64Array(edges);
  const still = new Uint8Array(edges);
  const stuck: number[] = [];
  for (let e = 0; e < edges; e++) {
    let stays = 0;
    let anywhere = false;
    for (let d = 0; d < datacenters; d++) {
      const i = e * datacenters + d;
      const usable = resident[i] === 1 && capacity[d]! > 0;
      mayGain[i] = usable && inputs.states[d]!.keep === 1 && inputs.states[d]!.refill ? 1 : 0;
      anywhere ||= mayGain[i] === 1;
      if (served && usable) base[i] = load[e]! * Math.min(served[i]!, retained[i]!);
      stays += base[i]!;
    }
    // Where nothing is near enough, everything is: somewhere is better than nowhere.
    const row = { from: e * datacenters, to: (e + 1) * datacenters };
    const isNear = (i: number): boolean => topology.rttMs[i]! <= latencyMsMax;
    const someNear = mayGain.subarray(row.from, row.to).some((open, d) => open === 1 && isNear(row.from + d));
    for (let i = row.from; i < row.to && someNear; i++) {
      if (isNear(i)) continue;
      tooFar[i] = resident[i]!;
      mayGain[i] = 0;
    }
    // Below a billionth it is the rounding of sums, not load.
    forced[e] = load[e]! - stays > 1e-9 * load[e]! ? load[e]! - stays : 0;
    if (served && inputs.demandRps[e] === 0) still[e] = 1;
    if (forced[e] === 0 || anywhere) continue;
    if (!served) return { kind: 'nowhere', edge: topology.edges[e]!.id };
    stuck.push(e);
    still[e] = 1;
    forced[e] = 0;
    for (let i = row.from; i < row.to; i++) base[i] = load[e]! * served[i]!;
  }
  if (stuck.length === edges) return { kind: 'nowhere', edge: topology.edges[0]!.id };
  let meanRttMs = 0;
  for (let i = 0; i < base.length; i++) meanRttMs += (base[i]! / totalLoad) * topology.rttMs[i]!;
  return {
    kind: 'model',
    model: {
      edges,
      datacenters,
      load,
      capacity,
      base,
      forced,
      mayGain,
      tooFar,
      pinned: pinnedLoad(inputs, load),
      shareMax: policy.spec.guards.shareMax,
      ...tieBrokenCosts(inputs, meanRttMs),
      utilizationPrices: utilizationPrices(policy),
      still,
      stuck,
      initial: served === null,
    },
  };
}

/** [e * D + d] 1 where the policy lets the edge's users be served. Edges it does not name may go anywhere. */
function residency({ topology, policy }: RuntimeInputs): Uint8Array {
  const datacenters = topology.datacenters.length;
  const resident = new Uint8Array(topology.edges.length * datacenters).fill(1);
  for (const rule of policy.spec.allowed) {
    const e = topology.edges.findIndex((edge) => edge.id === rule.edge);
    if (e < 0) continue;
    const allowed = new Set(rule.datacenters);
    topology.datacenters.forEach((datacenter, d) => {
      resident[e * datacenters + d] = allowed.has(datacenter.id) ? 1 : 0;
    });
  }
  return resident;
}

/** The model without latencyMsMax: what is too far may be used after all. */
export function withoutLatencyMax(model: Model, inputs: RuntimeInputs): Model {
  const mayGain = model.mayGain.map((open, i) => {
    const d = i % model.datacenters;
    return open === 1 ||
      (model.tooFar[i] === 1 && inputs.states[d]!.keep === 1 && inputs.states[d]!.refill && model.capacity[d]! > 0)
      ? 1
      : 0;
  });
  return { ...model, mayGain };
}

function pinnedLoad({ topology, policy, startMs }: RuntimeInputs, load: Float64Array): Float64Array {
  const datacenters = topology.datacenters.length;
  const pinned = new Float64Array(load.length * datacenters).fill(Number.NaN);
  for (const pin of policy.spec.pins) {
    if (pin.until !== undefined && startMs >= Date.parse(pin.until)) continue;
    const e = topology.edges.findIndex(({ id }) => id === pin.edge);
    const d = topology.datacenters.findIndex(({ id }) => id === pin.datacenter);
    if (e >= 0 && d >= 0) pinned[e * datacenters + d] = pin.fraction * load[e]!;
  }
  return pinned;
}

/** What `priced` costs where the policy does not say: nothing below 0.6, and beyond 1 more than any detour. */
const defaultPrices: readonly (readonly [above: number, priceMs: number])[] = [
  [0.6, 1],
  [0.8, 20],
  [0.95, 200],
  [1, 2000],
];

function utilizationPrices({ spec }: Policy): readonly UtilizationPrice[] {
  if (spec.objective !== 'priced') return [];
  return (spec.price ?? defaultPrices).map(([above, priceMs]) => ({ above, cost: priceMs / linearMsPerCost }));
}

/** Squared ms, or ms, a unit of cost stands for: costs stay between a hundredth and a hundred, which the engines'
 *  tolerances are made for. */
export const squaredMsPerCost = 1000;
export const linearMsPerCost = 10;

/** Latency, squared under `balance` (the paper's: no edge pays for all), and the price of a move. The price is stated in
 *  ms a moved request is worth; the slope of latency squared at the mean turns it into ms squared. Both are made generic
 *  by a hash of the two names, a hundredth and a tenth of a percent: among equal optima every engine then finds the same
 *  one. (By rank instead of hash, exchanging two pairs would tie again; with one hash for both, forced and chosen load of
 *  an edge could exchange their datacenters.) */
function tieBrokenCosts(
  { topology, policy }: RuntimeInputs,
  meanRttMs: number,
): { rttCost: Float64Array; moveCost: Float64Array } {
  const datacenters = topology.datacenters.length;
  const chance = (i: number, seed: number): number => {
    const edge = topology.edges[Math.floor(i / datacenters)]!;
    const datacenter = topology.datacenters[i % datacenters]!;
    return hash32(`${edge.id} ${datacenter.id}`, seed) / 4294967296;
  };
  const { movePriceMs, objective } = policy.spec;
  const squared = objective === 'balance';
  const scale = squared ? squaredMsPerCost : linearMsPerCost;
  const movePrice = squared ? 2 * meanRttMs * movePriceMs : movePriceMs;
  return {
    rttCost: topology.rttMs.map((rttMs, i) => {
      const generic = chance(i, 1);
      return (
        ((squared ? rttMs * rttMs : rttMs) * (1 + 1e-4 * generic) + (0.01 * scale * generic) / squaredMsPerCost) / scale
      );
    }),
    moveCost: topology.rttMs.map((_, i) => {
      const generic = chance(i, 2);
      return (movePrice * (1 + 1e-3 * generic) + (0.01 * scale * generic) / squaredMsPerCost) / scale;
    }),
  };
}
