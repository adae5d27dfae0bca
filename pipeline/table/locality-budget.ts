/** What may be moved for friends' sake beyond what has to move, and at what price. Moves that had to be made earn credit;
 *  the price follows the credit, so that it is spent where it brings most: a fixed price would waste it at night and
 *  starve at noon. Both are carried in the journalled state, or a replay would not decide alike. */

import type { CarriedLocality } from '../../runtime/guards.ts';

export const freshLocality: CarriedLocality = { credit: 0, price: 0.3 };

/** Of the budget so much is earned as moves are made: over a week nearly all of it is spent, .093 of the least by default, and
 *  a tenth is promised. The rest is reserve: pacing puts moves off after they were paid for. */
const earnedPart = 0.63;

/** Shares of the service's demand. The price keeps credit near the first; the second is what may be owed to friends after a
 *  datacenter failed or came back, for the hours in which they are brought together again. */
const creditAim = 0.002;
const creditMax = 0.012;

/** An epoch exceeds what had to move by less than half, and a little where next to nothing had to. */
const ofMoved = 0.42;
const atLeast = 0.0007;

const priceStep = 1.05;

/** Shares of the service's demand. */
export interface Earning {
  readonly localityBudget: number; // of the policy, a share of what is moved
  readonly moved: number; // had to move
  readonly churnMax: number;
}

/** What may be moved beyond that. */
export function allowanceOf({ credit }: CarriedLocality, earning: Earning): number {
  const { moved, churnMax } = earning;
  return Math.max(0, Math.min(credit + earnedBy(earning), ofMoved * moved + atLeast, churnMax - moved));
}

/** And in the end, for it is promised of what has to move then: exchanges within the band may leave half of what had to. */
export function allowanceMax(moved: number): number {
  return 0.48 * moved + 0.0009;
}

/** `moved` after exchanges: they may leave less to move than there was before them. */
export function afterSpending(before: CarriedLocality, earning: Earning & { readonly spent: number }): CarriedLocality {
  const credit = Math.min(creditMax, before.credit + earnedBy(earning) - earning.spent);
  return { credit, price: credit < creditAim ? before.price * priceStep : before.price / priceStep };
}

/** What is put off for `churnMax` earns when it moves, not again in every epoch that it waits. */
function earnedBy({ localityBudget, moved, churnMax }: Earning): number {
  return earnedPart * localityBudget * Math.min(moved, churnMax);
}
