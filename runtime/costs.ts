/** What a placement costs: latency, movement, and under `priced` utilization. */

import type { Policy } from '../config/policy.ts';
import { hash32, mix32 } from '../config/random.ts';
import type { Topology } from '../config/topology.ts';
import type { RuntimeInputs } from './inputs.ts';
import { doubles } from './lp/pieces.ts';

/** What a unit of load costs on top of its latency where it lands above a utilization. */
export interface UtilizationPrice {
  readonly above: number;
  readonly cost: number;
}

/** What `priced` costs where the policy does not say: nothing below 0.6, and beyond 1 more than any detour. */
const defaultPrices: readonly (readonly [above: number, priceMs: number])[] = [
  [0.6, 1],
  [0.8, 20],
  [0.95, 200],
  [1, 2000],
];

export function utilizationPrices({ spec }: Policy): readonly UtilizationPrice[] {
  if (spec.objective !== 'priced') return [];
  return (spec.price ?? defaultPrices).map(([above, priceMs]) => ({ above, cost: priceMs / linearMsPerCost }));
}

/** Squared ms, or ms, a unit of cost stands for: costs stay between a hundredth and a hundred, which the engines'
 *  tolerances are made for. */
export const squaredMsPerCost = 1000;
export const linearMsPerCost = 10;

/** [c * D + d] latency, squared under `balance` (the paper's: no edge pays for all), and the price of a move. The price is
 *  stated in ms a moved request is worth; the slope of latency squared at the mean turns it into ms squared. Both are made
 *  generic by a hash of the names, a hundredth and a tenth of a percent: among equal optima every engine then finds the
 *  same one. (By rank instead of hash, exchanging two pairs would tie again; with one hash for both, forced and chosen
 *  load of an edge could exchange their datacenters.) */
export function tieBrokenCosts(
  services: readonly RuntimeInputs[],
  meanRttMs: number,
): { rttCost: Float64Array; moveCost: Float64Array } {
  const { topology } = services[0]!;
  const pairs = topology.rttMs.length;
  const moveCost = doubles(services.length * pairs);
  const hashes = hashesOf(topology, services.length);
  for (let s = 0, i = 0; s < services.length; s++) {
    const { movePriceMs, objective } = services[s]!.policy.spec;
    const squared = objective === 'balance';
    const scale = squared ? squaredMsPerCost : linearMsPerCost;
    const movePrice = squared ? 2 * meanRttMs * movePriceMs : movePriceMs;
    for (let pair = 0; pair < pairs; pair++, i++) {
      const hash = hashes.ofMove[i]!;
      moveCost[i] = (movePrice * (1 + 1e-3 * hash) + (0.01 * scale * hash) / squaredMsPerCost) / scale;
    }
  }
  return { rttCost: rttCosts(services, hashes), moveCost };
}

/** By latencies, with the hashes and objectives that they were made for: few epochs measure others. */
const rttCostsKnown = new WeakMap<
  Topology['rttMs'],
  { readonly hashes: Hashes; readonly objectives: string; readonly rttCost: Float64Array }
>();

function rttCosts(services: readonly RuntimeInputs[], hashes: Hashes): Float64Array {
  const { rttMs } = services[0]!.topology;
  const objectives = services.map(({ policy }) => policy.spec.objective).join();
  const before = rttCostsKnown.get(rttMs);
  if (before?.hashes === hashes && before.objectives === objectives) return before.rttCost;
  const rttCost = new Float64Array(services.length * rttMs.length);
  for (let s = 0, i = 0; s < services.length; s++) {
    const squared = services[s]!.policy.spec.objective === 'balance';
    const scale = squared ? squaredMsPerCost : linearMsPerCost;
    for (let pair = 0; pair < rttMs.length; pair++, i++) {
      const latency = squared ? rttMs[pair]! * rttMs[pair]! : rttMs[pair]!;
      const hash = hashes.ofRtt[i]!;
      rttCost[i] = (latency * (1 + 1e-4 * hash) + (0.01 * scale * hash) / squaredMsPerCost) / scale;
    }
  }
  rttCostsKnown.set(rttMs, { hashes, objectives, rttCost });
  return rttCost;
}

/** [c * D + d] of the names, 0..1. */
interface Hashes {
  readonly datacenters: Topology['datacenters'];
  readonly ofRtt: Float64Array;
  readonly ofMove: Float64Array;
}

/** By edges: every epoch has the same, and as many hashes as its program has columns. */
const known = new WeakMap<Topology['edges'], Hashes>();

/** Of at least so many services. */
function hashesOf({ edges, datacenters }: Topology, services: number): Hashes {
  const pairs = edges.length * datacenters.length;
  const before = known.get(edges);
  if (before?.datacenters === datacenters && before.ofRtt.length >= services * pairs) return before;
  const ofRtt = new Float64Array(services * pairs);
  const ofMove = new Float64Array(services * pairs);
  const edgeHash = edges.map(({ id }) => hash32(id, 1));
  const datacenterHash = datacenters.map(({ id }) => hash32(id, 2));
  for (let s = 0, i = 0; s < services; s++) {
    for (const ofEdge of edgeHash) {
      for (let d = 0; d < datacenters.length; d++, i++) {
        const names = ofEdge ^ mix32(datacenterHash[d]! + s);
        ofRtt[i] = mix32(names) / 4294967296;
        ofMove[i] = mix32(names ^ 0x9e3779b9) / 4294967296;
      }
    }
  }
  const hashes = { datacenters, ofRtt, ofMove };
  known.set(edges, hashes);
  return hashes;
}
