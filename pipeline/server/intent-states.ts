/** How many intents of a service are in force, wait for others, or come with a later epoch, as its last epoch left them. */

import { concerns, type Intent } from '../../config/intent.ts';
import type { Waiting } from '../../runtime/intents.ts';

export const intentStates = ['in-force', 'waiting', 'coming'] as const;
export type IntentState = (typeof intentStates)[number];

/** `all`: that are handed in; `planned`: with which the last epoch was planned, where there was one. A freeze that waits at
 *  some edges only waits. */
export function countIntents(
  all: readonly Intent[],
  service: string,
  planned: readonly Intent[],
  waiting: readonly Waiting[],
): Readonly<Record<IntentState, number>> {
  const counts = { 'in-force': 0, waiting: 0, coming: 0 };
  for (const intent of all) {
    if (!concerns(intent, service)) continue;
    const isPlanned = planned.some(({ id }) => id === intent.id);
    const waits = waiting.some((one) => one.intent === intent.id);
    counts[waits ? 'waiting' : isPlanned ? 'in-force' : 'coming'] += 1;
  }
  return counts;
}
