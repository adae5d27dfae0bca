/** What the edges are sent after an epoch: bodies follow from topology and plan alone, so that a replay makes
 *  the same ones. */

import type { Topology } from '../../config/topology.ts';
import type { EpochPlan } from '../epoch/plan.ts';
import type { Ceilings } from '../table/ceilings.ts';
import { type CompiledTable, compileTable, makeFallbacks } from '../table/compile.ts';

export interface EpochBodies extends CompiledTable {
  readonly ceilings: Ceilings; // that the fallbacks were made from
}

/** Null where the last bodies stand: a plan that was held or rejected believes nothing new, also of who may take over
 *  from whom. `last` saves work and changes nothing. */
export function bodiesAfter(topology: Topology, plan: EpochPlan, last: EpochBodies | null): EpochBodies | null {
  if (plan.outcome === 'held' || plan.outcome === 'rejected' || plan.table === null) return null;
  const { table, ceilings } = plan;
  const same = last !== null && last.table.height === table.height && sameNumbers(last.ceilings, ceilings);
  const fallbacks = same ? last.fallbacks : makeFallbacks(topology, table.height, ceilings);
  return { ...compileTable(table, fallbacks, last), ceilings: same ? last.ceilings : ceilings };
}

/** Edge -> SHA-256 of its body; empty where the last ones stand. */
export function bodyDigests(bodies: CompiledTable | null): Readonly<Record<string, string>> {
  return Object.fromEntries((bodies?.bodies ?? []).map(({ edge, version }) => [edge, version]));
}

function sameNumbers(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
