/** A table from wherever in the place of the one in force, judged as an epoch judges its own. */

import assert from 'node:assert/strict';
import type { EdgeId } from '../../config/ids.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { observeStates } from '../../runtime/guards.ts';
import { fullness, loadOf, metersOf, type ServiceLoad, sumByDatacenter } from '../../runtime/meters.ts';
import { measureChurn, type TableChurn } from '../table/churn.ts';
import { holdBack } from '../table/ramp.ts';
import { type RoutingTable, servedFractions } from '../table/routing-table.ts';
import { type Validation, validate } from '../table/validate.ts';
import { steeredShares } from './demand-shares.ts';
import type { PlannedService } from './inputs.ts';
import { ceilingsOf, loadOn, settingOf } from './setting.ts';

/** What a table would do in the place of the one in force. */
export interface Examination {
  readonly previous: RoutingTable;
  readonly validation: Validation; // `rejected` also where a limit on utilization would be broken
  readonly mends: Validation; // the same, were that limit to give
  readonly churn: TableChurn;
  readonly before: Float64Array; // [datacenter] utilization, on the demand planned on
  readonly after: Float64Array; // [datacenter]
  readonly served: FractionMatrix; // [e * D + d] after
  readonly ashore: number; // share of demand that is not aboard the policy's ramp and would leave where it was imported
  readonly frozenBy: string | null; // nothing may move by choice, and why
  readonly frozenEdges: readonly EdgeId[]; // only at these
}

/** Judges `table`, of the shape of the one in force and from wherever, as an epoch judges its own: service `s` of a group
 *  with the table, the others as they stand. */
export function examine(services: readonly PlannedService[], s: number, table: RoutingTable): Examination {
  const settings = services.map(settingOf);
  const { inputs, context, runtime, arriving, established, frozenBy } = settings[s]!;
  const { topology, policy, previous, demandRps } = inputs;
  const { tree, weights } = context;
  assert(previous && runtime.served, 'a table is examined beside the one in force');
  const others = settings.flatMap((other, o): ServiceLoad[] =>
    o === s || !other.runtime.served ? [] : [loadOn(other, other.runtime.served)],
  );
  const meters = metersOf(topology, { policy }, sumByDatacenter(established, topology.datacenters.length), others);
  const ceilings = ceilingsOf(settings[s]!, observeStates(inputs.carried, topology, runtime.states, runtime.served));
  const { utilizationMax } = policy.spec;
  const check = (isUtilizationRelaxed: boolean): Validation =>
    validate({
      ...{ table, previous, tree, topology, weights, demandRps: arriving, meters, ceilings },
      ...{ utilizationMax, isUtilizationRelaxed },
    });
  const served = servedFractions(table, weights);
  const edgeLoad = steeredShares(topology, demandRps);
  return {
    previous,
    validation: check(false),
    mends: check(true),
    churn: measureChurn({ previous, next: table, weights, edgeLoad, ceilings }),
    before: fullness(meters, loadOf(arriving, runtime.served)),
    after: fullness(meters, loadOf(arriving, served)),
    served,
    ashore: ashore(services[s]!, table, edgeLoad) - ashore(services[s]!, previous, edgeLoad),
    frozenBy,
    frozenEdges: topology.edges.flatMap(({ id }, e) => (runtime.frozenEdges?.[e] === 1 ? [id] : [])),
  };
}

/** Share of demand that `table` has elsewhere than imported, and that is not Taiji's to steer. */
function ashore({ inputs, context }: PlannedService, table: RoutingTable, edgeLoad: Float64Array): number {
  const { ramp, buckets } = inputs.policy.spec;
  const { base, weights } = context;
  if (!ramp || !base) return 0;
  const anywhere = () => true;
  const where = { segmentLevel: buckets.segmentLevel, isOpen: anywhere, mayReturn: anywhere };
  return holdBack({ ramp, base, previous: table, weights, edgeLoad, churnMax: 0, ...where }).waiting;
}
