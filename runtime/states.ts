/** What is observed of the datacenters and what operators intend with them, made one state each. */

import { type Intent, isInForce, keepAt } from '../config/intent.ts';
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

/** With the drains among `intents`, which are in force. The state that keeps less wins; between equals the observed one,
 *  for failure comes before intent. */
export function effectiveStates(
  topology: Topology,
  observed: readonly DatacenterState[],
  intents: readonly Intent[],
  nowMs: number,
): readonly DatacenterState[] {
  return topology.datacenters.map(({ id }, d) => {
    let state = observed[d] ?? normalState;
    for (const intent of intents) {
      if (intent.kind !== 'drain' || intent.edge !== undefined || intent.datacenter !== id) continue;
      const keep = keepAt(intent, nowMs);
      if (keep >= state.keep) continue;
      const untilMs = intent.until === null ? null : Date.parse(intent.until);
      state = { keep, refill: false, cause: `drain by ${intent.author}: ${intent.reason}`, untilMs };
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

/** Half of all capacity failing at once is more often a blind monitor than a disaster (2021-10-04: every probe failed,
 *  every site was fine), and so is a program that drains as much. Datacenters that an operator drains too are not suspect.
 *  Returns the share that is. */
export function suspectShare(
  topology: Topology,
  observed: readonly DatacenterState[],
  intents: readonly Intent[],
  nowMs: number,
): number {
  let suspect = 0;
  let total = 0;
  topology.datacenters.forEach(({ id, capacityRps }, d) => {
    const drains = intents.flatMap((intent) =>
      intent.kind === 'drain' && intent.edge === undefined && intent.datacenter === id && isInForce(intent, nowMs)
        ? [{ keep: keepAt(intent, nowMs), isOperators: intent.priority !== 'taiji' }]
        : [],
    );
    total += capacityRps;
    if (drains.some(({ isOperators }) => isOperators)) return;
    const keep = drains.reduce((least, drain) => Math.min(least, drain.keep), (observed[d] ?? normalState).keep);
    suspect += capacityRps * (1 - keep);
  });
  return total > 0 ? suspect / total : 0;
}
