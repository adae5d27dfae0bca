/** A sticky service's table moves the sessions that come anew, a sixth of all in an epoch where they live for half an hour.
 *  One that puts utilization right by them alone within the epoch swings by six times of what is wrong, and back in the
 *  next: half of .033 of all demand moved an epoch on a week's world was that. So a table is planned for what it will have
 *  made of the sessions some time ahead (`lastingOf`), on the way to which utilization only comes nearer to it. Where a
 *  datacenter would be over its limit at the end of this epoch, it is planned for that instead.
 *  Declined: planning for the steady state, which is calmest and leaves what the daily curve carried off to the sessions
 *  to forget: 62 % of samples within 4 % of the mean, for 88 %. */

import type { FractionMatrix } from './fractions.ts';
import type { RuntimeInputs } from './inputs.ts';
import { fullness, loadOf, metersOf, type ServiceLoad, sumByDatacenter } from './meters.ts';
import { newSessions } from './sessions.ts';

/** Null where it is all one. */
export function lookingAhead(services: readonly RuntimeInputs[]): readonly RuntimeInputs[] | null {
  const isFar = services.some(({ lasting, established }) => lasting?.some((count, i) => count < established![i]!));
  if (!isFar) return null;
  return services.map((inputs) => (inputs.lasting ? { ...inputs, established: inputs.lasting } : inputs));
}

/** Is every datacenter under its limit at the end of this epoch, if the services serve these fractions? `served` [s] null:
 *  there is no table. */
export function staysWithin(services: readonly RuntimeInputs[], served: readonly (FractionMatrix | null)[]): boolean {
  const { topology } = services[0]!;
  const width = topology.datacenters.length;
  const standing = services.map(({ established }) =>
    established ? sumByDatacenter(established, width) : new Float64Array(width),
  );
  const loads = services.map(({ policy, demandRps, established }, s): ServiceLoad => {
    const fractions = served[s];
    const arriving = established ? newSessions(demandRps, established) : demandRps;
    return { policy, load: fractions ? loadOf(arriving, fractions) : new Float64Array(width) };
  });
  return services.every(({ policy }, s) => {
    const others = loads.flatMap(({ policy: other, load }, o): ServiceLoad[] =>
      o === s ? [] : [{ policy: other, load: load.map((units, d) => units + standing[o]![d]!) }],
    );
    const meters = metersOf(topology, { policy }, standing[s]!, others);
    return fullness(meters, loads[s]!.load).every((utilization) => utilization <= policy.spec.utilizationMax);
  });
}
