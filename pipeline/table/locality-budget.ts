/** What may be moved for friends' sake beyond what has to move, and at what price. Moves that had to be made earn credit;
 *  the price follows the credit, so that it is spent where it brings most: a fixed price would waste it at night and
 *  starve at noon. Both are carried in the journalled state, or a replay would not decide alike. */

import type { CarriedLocality } from '../../runtime/guards.ts';

export const freshLocality: CarriedLocality = { credit: 0, price: 0.3 };

/** Of the budget so much is earned as moves are made. The rest is reserve: pacing puts moves off after they were paid for,
 *  and the budget is a promise. */
const earnedPart = 0.65;
const creditMax = 0.004; // share of the service's demand; what is not spent by then is not missed

/** An epoch exceeds what had to move by less than half, and a little where next to nothing had to. */
const ofMoved = 0.42;
const atLeast = 0.0007;

const priceStep = 1.05;

/** Shares of the service's demand. */
export interface Earning {
  readonly localityBudget: number; // of the policy, a share of what is moved
  readonly moved: number; // had to move
}

/** What may be moved beyond that. */
export function allowanceOf(
  { credit }: CarriedLocality,
  { localityBudget, churnMax, moved }: Earning & { readonly churnMax: number },
): number {
  const earned = credit + earnedPart * localityBudget * moved;
  return Math.max(0, Math.min(earned, ofMoved * moved + atLeast, churnMax - moved));
}

/** `moved` after exchanges: they may leave less to move than there was before them. */
export function afterSpending(
  before: CarriedLocality,
  { localityBudget, moved, spent }: Earning & { readonly spent: number },
): CarriedLocality {
  const credit = Math.min(creditMax, before.credit + earnedPart * localityBudget * moved - spent);
  return { credit, price: credit < creditMax / 2 ? before.price * priceStep : before.price / priceStep };
}
