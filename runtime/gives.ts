/** How far limits give, as rows and costs of the program (`placement.ts`): a row that holds what one gives in all to what
 *  it has to, or a cost that seeks how little that is. */

import type { ProgramBuilder } from './lp/builder.ts';
import { type GivingLimit, givingOrder, isHeldDown, type Model } from './model.ts';

/** Pins, shareMax and the like are priced, not forbidden: they give before a datacenter's state does. Dearer than any
 *  latency, and about in their order; the order itself is kept by `giving.ts`, where one of them has to give. */
const slackPrices: Readonly<Partial<Record<GivingLimit, number>>> = {
  shareMax: 5_000,
  pins: 5_000,
  emergencyMax: 6_000,
  latencyMsP95Max: 7_000,
};

export interface GiveRows {
  rowOf(limit: GivingLimit): number; // -1 where nothing says how far it gives
  slackPrice(limit: GivingLimit): number; // of a unit by which the limit is missed
  readonly isSought: boolean; // how little a limit gives is what the program is for
  /** What a unit costs then that arrives at (or, negative, leaves) the pair. */
  cost(i: number, sign: 1 | -1): number;
  /** Of the last column: it counts in the rows of the limits that it is beyond. */
  put(i: number, sign: 1 | -1): void;
}

/** `sought`: a limit that is to give as little as can be; anything else is no such thing. */
export function putGives(lp: ProgramBuilder, model: Model, isGuarded: boolean, sought: string): GiveRows {
  const { tooFar, base, gives } = model;
  const rows = new Map<GivingLimit, number>();
  for (const { limit, most } of gives) {
    // Under guards what arrives counts: what is too far already may have to wait before it leaves.
    const before =
      limit === 'latencyMsMax' && !isGuarded ? base.reduce((sum, load, i) => sum + tooFar[i]! * load, 0) : 0;
    rows.set(limit, lp.row(Number.NEGATIVE_INFINITY, most - before));
  }
  const rowOf = (limit: GivingLimit): number => rows.get(limit) ?? -1;
  const soughtLimit = givingOrder.find((limit) => limit === sought);
  const counts = (limit: GivingLimit, i: number, sign: 1 | -1): boolean =>
    limit === 'latencyMsMax'
      ? tooFar[i] === 1 && (sign > 0 || !isGuarded)
      : limit === 'holdDown' && sign > 0 && isHeldDown(model, i);
  const [farRow, heldRow] = [rowOf('latencyMsMax'), rowOf('holdDown')];
  return {
    rowOf,
    slackPrice: (limit) => {
      if (soughtLimit) return limit === soughtLimit ? 1 : 0;
      return rows.has(limit) ? 0 : slackPrices[limit]!;
    },
    isSought: soughtLimit !== undefined,
    cost: (i, sign) => (soughtLimit && counts(soughtLimit, i, sign) ? sign : 0),
    put: (i, sign) => {
      if (farRow >= 0 && counts('latencyMsMax', i, sign)) lp.put(farRow, sign);
      if (heldRow >= 0 && counts('holdDown', i, sign)) lp.put(heldRow, sign);
    },
  };
}
