/** One service's epoch, made ready to be solved: intents, hold-downs and established sessions worked into what the program
 *  is told, and what follows from it for the table. */

import { durationMs } from '../../config/duration.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { residency } from '../../runtime/grounds.ts';
import { type CarriedState, retainedFractions } from '../../runtime/guards.ts';
import { holdDown } from '../../runtime/hold-down.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { intendedOf } from '../../runtime/intended.ts';
import { loadOf, type ServiceLoad, sumByDatacenter } from '../../runtime/meters.ts';
import { lastingOf, newSessions, outliving, survivalOf } from '../../runtime/sessions.ts';
import { type Ceilings, makeCeilings } from '../table/ceilings.ts';
import { edgeTies } from '../table/edge-ties.ts';
import { servedFractions } from '../table/routing-table.ts';
import type { EpochContext, EpochInputs } from './inputs.ts';

/** What a table is made with. */
type Routed = Pick<EpochContext, 'tree' | 'weights' | 'cellTies'>;

export interface Setting {
  readonly inputs: EpochInputs;
  readonly context: Routed;
  readonly runtime: RuntimeInputs;
  readonly carried: CarriedState;
  readonly frozenBy: string | null; // nothing moves by choice, and why
  readonly established: Float64Array; // [e * D + d] sessions that outlive the epoch
  readonly arriving: Float64Array; // [edge] demand that the table places
  readonly others: readonly ServiceLoad[];
}

export function settingOf({ inputs, context }: { readonly inputs: EpochInputs; readonly context: Routed }): Setting {
  const { topology, policy, previous, startMs, demandRps } = inputs;
  const holdDownMs = durationMs(policy.spec.guards.holdDown);
  const held = holdDown(topology, inputs.states, inputs.carried.outages, startMs, holdDownMs);
  const served = previous && servedFractions(previous, context.weights);
  const { intents: before = null, ...carriedElse } = inputs.carried;
  const intended = intendedOf({
    topology,
    policy,
    states: held.states,
    intents: inputs.intents,
    served,
    nowMs: startMs,
    before,
  });
  const { states, frozenBy, frozenEdges, pairDrains } = intended;
  const isSticky = policy.spec.traffic.kind === 'sticky';
  const width = topology.datacenters.length;
  const placedSoFar = (): ArrayLike<number> =>
    inputs.carried.sessions ?? served?.map((fraction, i) => fraction * demandRps[Math.floor(i / width)]!) ?? [];
  const sessions = isSticky ? observedOr(inputs.sessions, placedSoFar()) : [];
  const established =
    sessions.length > 0
      ? outliving(sessions, survivalOf(policy, inputs.epochMs), states, demandRps)
      : new Float64Array(topology.edges.length * width);
  const lasts = lastingOf(policy, inputs.epochMs);
  return {
    inputs,
    context,
    runtime: {
      topology,
      policy: intended.policy,
      startMs,
      demandRps,
      states,
      served,
      frozen: frozenBy !== null,
      ...(frozenEdges && { frozenEdges }),
      ...(pairDrains.length > 0 && { pairDrains }),
      ...(isSticky && { established, lasting: established.map((count) => count * lasts) }),
      ...(policy.spec.localityPriceMs > 0 && { edgeTies: edgeTies(context.tree, context.weights) }),
      ...(inputs.isDue === false && { isDue: false }),
    },
    carried: { ...carriedElse, outages: held.outages, ...(intended.carried && { intents: intended.carried }) },
    frozenBy,
    established,
    arriving: isSticky ? newSessions(demandRps, established) : demandRps,
    others: [],
  };
}

/** Sessions pair by pair: as observed, else as placed. */
function observedOr(observed: Float64Array | undefined, placed: ArrayLike<number>): ArrayLike<number> {
  return observed?.map((count, i) => (Number.isNaN(count) ? (placed[i] ?? 0) : count)) ?? placed;
}

export function ceilingsOf({ runtime }: Setting, after: CarriedState): Ceilings {
  const { topology, states, pairDrains } = runtime;
  return makeCeilings(topology, residency(runtime), retainedFractions(after, topology, states, pairDrains));
}

/** What of the demand the table places, and what stays, on every datacenter. */
export function loadOn({ inputs, established, arriving }: Setting, served: FractionMatrix): ServiceLoad {
  const load = loadOf(arriving, served);
  const stays = sumByDatacenter(established, load.length);
  return { policy: inputs.policy, load: load.map((units, d) => units + stays[d]!) };
}
