/** From a placement to what each edge should serve: integer millionths, so that nothing that follows depends on an engine's
 *  last digits. */

import { largestRemainder, ppmPerUnit } from '../config/units.ts';
import type { FractionMatrix } from './fractions.ts';
import type { Model } from './model.ts';
import type { Placement } from './placement.ts';

/** Whole millionths of the placement. An edge that nothing touches keeps what it serves to the last digit. */
export function solvedOf(model: Model, placement: Placement, s: number, served: FractionMatrix | null): FractionMatrix {
  const { edges, datacenters } = model;
  const solved = served ? served.slice() : new Float64Array(edges * datacenters);
  const goal = new Float64Array(datacenters);
  for (let e = 0; e < edges; e++) {
    const at = (s * edges + e) * datacenters;
    const isForced = !served || model.forced[s * edges + e]! > 0;
    if (!isForced && placement.moves[s * edges + e] === 0) continue;
    let isStill = !isForced;
    for (let d = 0; d < datacenters; d++) {
      const anchor = anchorAt(model, placement, at + d);
      goal[d] = Math.max(0, anchor + placement.gained[at + d]! - placement.left[at + d]!);
      isStill &&= goal[d] === anchor;
    }
    if (!isStill) solved.set(inPpm(goal), e * datacenters);
  }
  return solved;
}

/** Whole millionths of the way there: forced load goes all of it, moves by choice `damping` of it, counted from the
 *  millionths of the solution and not from its digits. */
export function wantedOf(
  model: Model,
  placement: Placement,
  s: number,
  damping: number,
  served: FractionMatrix | null,
  solved: FractionMatrix,
): FractionMatrix {
  const { edges, datacenters } = model;
  const wanted = served ? served.slice() : new Float64Array(edges * datacenters);
  const step = new Float64Array(datacenters);
  for (let e = 0; e < edges; e++) {
    const from = e * datacenters;
    const at = (s * edges + e) * datacenters;
    const isForced = !served || model.forced[s * edges + e]! > 0;
    if (!isForced && placement.moves[s * edges + e] === 0) continue;
    for (let d = 0; d < datacenters; d++) step[d] = isForced ? anchorAt(model, placement, at + d) : served[from + d]!;
    const start = isForced ? inPpm(step) : step;
    let isStill = !isForced;
    for (let d = 0; d < datacenters; d++) {
      isStill &&= solved[from + d] === served![from + d];
      step[d] = start[d]! + damping * (solved[from + d]! - start[d]!);
    }
    if (!isStill) wanted.set(inPpm(step), from);
  }
  return wanted;
}

/** [i = c * D + d] load there before moves by choice. */
function anchorAt({ base }: Model, { placed }: Placement, i: number): number {
  return base[i]! + placed[i]!;
}

function inPpm(shares: Float64Array): Float64Array {
  const ppm = largestRemainder(shares, ppmPerUnit);
  const fractions = new Float64Array(ppm.length);
  for (let d = 0; d < ppm.length; d++) fractions[d] = ppm[d]! / ppmPerUnit;
  return fractions;
}
