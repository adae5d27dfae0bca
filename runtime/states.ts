/** What is observed of the datacenters and what operators intend with them, made one state each. */

import { type Intent, isInForce } from '../config/intent.ts';
import type { Topology } from '../config/topology.ts';
import type { World } from '../config/world.ts';
import { type DatacenterState, normalState } from './inputs.ts';

/** [datacenter] as a world's events up to and including `timeMs` leave them. */
export function statesAt({ topology, events }: World, timeMs: number): readonly DatacenterState[] {
  return topology.datacenters.map(({ id }) => {
    const last = events.findLast((event) => event.datacenter === id && event.timeMs <= timeMs);
    if (!last || last.state === 'normal') return normalState;
    return { keep: 0, refill: false, cause: last.state, untilMs: null };
  });
}

/** The state that keeps less wins; between equals the observed one, for failure comes before intent. */
export function effectiveStates(
  topology: Topology,
  observed: readonly DatacenterState[],
  intents: readonly Intent[],
  nowMs: number,
): readonly DatacenterState[] {
  return topology.datacenters.map(({ id }, d) => {
    let state = observed[d] ?? normalState;
    for (const intent of intents) {
      if (intent.kind !== 'drain' || intent.datacenter !== id || !isInForce(intent, nowMs)) continue;
      if (intent.keep >= state.keep) continue;
      const untilMs = intent.until === null ? null : Date.parse(intent.until);
      state = { keep: intent.keep, refill: false, cause: `drain by ${intent.author}: ${intent.reason}`, untilMs };
    }
    return state;
  });
}

/** Out of service because somebody meant it: what it has it keeps until it ends by itself. */
export function isDrain({ cause }: DatacenterState): boolean {
  return cause.startsWith('drain');
}

/** Well, and takes nothing more: held down after outages, or its signals are in doubt. */
export function isBarredFromGaining({ keep, refill }: DatacenterState): boolean {
  return keep === 1 && !refill;
}

/** The freeze in force, if there is one: nothing moves by choice. */
export function freezeInForce(intents: readonly Intent[], nowMs: number): Intent | null {
  return intents.find((intent) => intent.kind === 'freeze' && isInForce(intent, nowMs)) ?? null;
}

/** Half of all capacity failing at once is more often a blind monitor than a disaster (2021-10-04: every probe failed,
 *  every site was fine). Datacenters that an operator drains too are not suspect. Returns the share that is. */
export function suspectShare(
  topology: Topology,
  observed: readonly DatacenterState[],
  intents: readonly Intent[],
  nowMs: number,
): number {
  let suspect = 0;
  let total = 0;
  topology.datacenters.forEach(({ id, capacityRps }, d) => {
    const intended = intents.some(
      (intent) => intent.kind === 'drain' && intent.datacenter === id && isInForce(intent, nowMs),
    );
    total += capacityRps;
    if (!intended) suspect += capacityRps * (1 - (observed[d] ?? normalState).keep);
  });
  return total > 0 ? suspect / total : 0;
}
