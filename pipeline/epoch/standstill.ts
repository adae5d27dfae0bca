/** What keeps users from passing to another tree. */

import type { Routing } from '../table/tree-course.ts';
import type { EpochInputs } from './inputs.ts';
import { settingOf } from './setting.ts';

/** Why users do not pass to another tree in this epoch, or null: what stops moves by choice stops them, and while a
 *  datacenter is out or on its way out, churn and room are for those who must go. */
export function standstillOf(inputs: EpochInputs, routing: Routing): string | null {
  const { runtime, frozenBy } = settingOf({ inputs, context: routing });
  const { topology, states, frozenEdges, pairDrains = [] } = runtime;
  if (frozenBy !== null) return frozenBy;
  // The imported table holds buckets; who is in them must not change under it.
  if (inputs.policy.spec.ramp) return 'the policy has a ramp, and a fleet comes aboard with the tree it began with';
  const out = states.findIndex(({ keep }) => keep < 1);
  if (out >= 0) return `${topology.datacenters[out]!.id} is out, or on its way out: ${states[out]!.cause}`;
  if (pairDrains.length > 0) return 'a datacenter is drained at an edge';
  const frozen = frozenEdges?.indexOf(1) ?? -1;
  return frozen < 0 ? null : `edge ${topology.edges[frozen]!.id} is frozen`;
}
