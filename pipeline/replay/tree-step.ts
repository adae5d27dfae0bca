/** What one epoch does of a service's way from tree to tree, in a replay as on a running server. */

import { steeredShares } from '../epoch/demand-shares.ts';
import type { EpochInputs } from '../epoch/inputs.ts';
import { standstillOf } from '../epoch/standstill.ts';
import { type Routing, routingOf, stepOf, stepped, type TreeCourse, type TreePlaces } from '../table/tree-course.ts';
import type { TreeStep } from '../table/tree-move.ts';

export interface ProposedStep {
  readonly course: TreeCourse; // after the step
  readonly routing: Routing; // to plan the epoch with
  readonly step: TreeStep | null; // null: nobody passes
  readonly standstill: string | null; // why nobody may, where somebody would
}

/** `inputs`: as the epoch would be planned if nobody passed, with `routing`, that of the course. */
export function treeStep(course: TreeCourse, routing: Routing, inputs: EpochInputs, places: TreePlaces): ProposedStep {
  const { previous, topology, demandRps, policy, isDue } = inputs;
  const stays: ProposedStep = { course, routing, step: null, standstill: null };
  if (course.kind === 'settled' || previous === null || isDue === false) return stays;
  const standstill = standstillOf(inputs, routing);
  if (standstill !== null) return { ...stays, standstill };
  const edgeLoad = steeredShares(topology, demandRps);
  const step = stepOf(course, previous, edgeLoad, policy.spec.guards.churnMax)!;
  const after = stepped(course, step);
  return { course: after, routing: routingOf(after, places), step, standstill };
}
