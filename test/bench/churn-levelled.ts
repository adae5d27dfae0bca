/** Fractions in proportion to capacity x exp(-rtt / 50 ms), each datacenter's column multiplied until all in service are
 *  equally full: iterative proportional fitting. Every edge uses many datacenters, which is hard on tables. */

import type { Topology } from '../../config/topology.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';

const nearMs = 50;
const levelWithin = 1e-4; // relative
const roundsMax = 500;

export function levelledFractions(
  { datacenters, edges, rttMs }: Topology,
  edgeLoad: Float64Array, // [edge] shares of all demand
  states: readonly DatacenterState[],
): FractionMatrix {
  const width = datacenters.length;
  const open = datacenters.map(({ capacityRps }, d) => (states[d]!.keep === 1 ? capacityRps : 0));
  const capacity = open.reduce((a, b) => a + b, 0);
  const near = Float64Array.from(rttMs, (ms, i) => open[i % width]! * Math.exp(-ms / nearMs));
  const scale = new Float64Array(width).fill(1);
  const fractions = new Float64Array(near.length);
  for (let round = 0; round < roundsMax; round++) {
    const load = new Float64Array(width);
    for (let e = 0; e < edges.length; e++) {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += near[e * width + d]! * scale[d]!;
      for (let d = 0; d < width; d++) {
        const share = (near[e * width + d]! * scale[d]!) / sum;
        fractions[e * width + d] = share;
        load[d]! += edgeLoad[e]! * share;
      }
    }
    let worst = 0;
    for (let d = 0; d < width; d++) {
      if (open[d] === 0) continue;
      const fullness = (load[d]! * capacity) / open[d]!;
      worst = Math.max(worst, Math.abs(fullness - 1));
      scale[d]! /= fullness;
    }
    if (worst <= levelWithin) break;
  }
  return fractions;
}
