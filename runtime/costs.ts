/** What a placement costs: latency, movement, and under `priced` utilization. */

import type { Policy } from '../config/policy.ts';
import { hash32, mix32 } from '../config/random.ts';
import type { RuntimeInputs } from './inputs.ts';

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
  const datacenters = topology.datacenters.length;
  const pairs = topology.rttMs.length;
  const rttCost = new Float64Array(services.length * pairs);
  const moveCost = new Float64Array(services.length * pairs);
  const edgeHash = topology.edges.map(({ id }) => hash32(id, 1));
  const datacenterHash = topology.datacenters.map(({ id }) => hash32(id, 2));
  services.forEach(({ policy }, s) => {
    const { movePriceMs, objective } = policy.spec;
    const squared = objective === 'balance';
    const scale = squared ? squaredMsPerCost : linearMsPerCost;
    const movePrice = squared ? 2 * meanRttMs * movePriceMs : movePriceMs;
    for (let i = 0; i < pairs; i++) {
      const names = edgeHash[Math.floor(i / datacenters)]! ^ mix32(datacenterHash[i % datacenters]! + s);
      const ofRtt = mix32(names) / 4294967296;
      const ofMove = mix32(names ^ 0x9e3779b9) / 4294967296;
      const rttMs = topology.rttMs[i]!;
      rttCost[s * pairs + i] =
        ((squared ? rttMs * rttMs : rttMs) * (1 + 1e-4 * ofRtt) + (0.01 * scale * ofRtt) / squaredMsPerCost) / scale;
      moveCost[s * pairs + i] = (movePrice * (1 + 1e-3 * ofMove) + (0.01 * scale * ofMove) / squaredMsPerCost) / scale;
    }
  });
  return { rttCost, moveCost };
}
