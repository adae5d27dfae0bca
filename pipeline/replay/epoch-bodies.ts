/** What the edges are sent after an epoch: bodies follow from the epoch's inputs and plan alone, so that a replay makes
 *  the same ones. */

import { retainedFractions } from '../../runtime/guards.ts';
import { effectiveStates } from '../../runtime/states.ts';
import type { EpochInputs, EpochPlan } from '../epoch.ts';
import { type Ceilings, makeCeilings } from '../table/ceilings.ts';
import { type CompiledTable, compileTable, makeFallbacks } from '../table/compile.ts';

export interface EpochBodies extends CompiledTable {
  readonly ceilings: Ceilings; // that the fallbacks were made from
}

/** Null where the last bodies stand: a plan that was held or rejected believes nothing new, also of who may take over
 *  from whom. `last` saves work and changes nothing. */
export function bodiesAfter(inputs: EpochInputs, plan: EpochPlan, last: EpochBodies | null): EpochBodies | null {
  if (plan.outcome === 'held' || plan.outcome === 'rejected' || plan.table === null) return null;
  const { topology, policy, startMs } = inputs;
  const states = effectiveStates(topology, inputs.states, inputs.intents, startMs);
  const ceilings = makeCeilings(topology, policy.spec.allowed, retainedFractions(plan.carried, topology, states));
  const same = last !== null && last.table.height === plan.table.height && sameNumbers(last.ceilings, ceilings);
  const fallbacks = same ? last.fallbacks : makeFallbacks(topology, plan.table.height, ceilings);
  return { ...compileTable(plan.table, fallbacks, last), ceilings: same ? last.ceilings : ceilings };
}

/** Edge -> SHA-256 of its body; empty where the last ones stand. */
export function bodyDigests(bodies: CompiledTable | null): Readonly<Record<string, string>> {
  return Object.fromEntries((bodies?.bodies ?? []).map(({ edge, version }) => [edge, version]));
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
