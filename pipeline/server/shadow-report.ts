/** What a time in shadow came to, for whoever decides whether Taiji steers: both sides over all epochs that could be
 *  compared, and how many users Taiji would have moved, at first and from then on. */

import { mean } from '../replay/quantile.ts';
import type { EpochSummary } from './epoch-summary.ts';
import type { ShadowSide } from './shadow.ts';

export interface ShadowReport {
  readonly from: string | null; // start of the first epoch that is known; null: none is
  readonly to: string | null; // of the last
  readonly epochs: number; // that were decided
  readonly compared: number; // of them
  readonly unknown: string | null; // why the last one could not be
  readonly today: ReportedSide | null; // null: nothing was compared
  readonly taiji: ReportedSide | null;
  readonly elsewhere: Spread | null; // least share of demand that Taiji has elsewhere than today
  readonly moved: Moved;
}

export interface ReportedSide {
  readonly utilizationMax: Spread;
  readonly rttMs: { readonly mean: Spread; readonly p95: Spread };
  readonly connectionLocality: Spread | null; // null: the tree knows no ties
}

/** Of one figure over the epochs. */
export interface Spread {
  readonly mean: number;
  readonly worst: number;
  readonly last: number;
}

/** Shares of demand that Taiji's tables would have moved. */
export interface Moved {
  readonly firstHour: number;
  readonly hourAfter: number | null; // mean of an hour since; null: there was none yet
  readonly epochMax: number;
}

const hourMs = 3_600_000;

/** `history`: oldest first. */
export function shadowReport(history: readonly EpochSummary[]): ShadowReport {
  const epochs = history.filter(({ shadow }) => shadow !== undefined);
  const figures = epochs.flatMap(({ shadow }) => (shadow?.kind === 'compared' ? [shadow] : []));
  const last = epochs.at(-1)?.shadow;
  return {
    from: epochs[0]?.time ?? null,
    to: epochs.at(-1)?.time ?? null,
    epochs: epochs.length,
    compared: figures.length,
    unknown: last?.kind === 'unknown' ? last.reason : null,
    today: sideOf(figures.map(({ today }) => today)),
    taiji: sideOf(figures.map(({ taiji }) => taiji)),
    elsewhere: spreadOf(figures, ({ elsewhere }) => elsewhere, Math.max),
    moved: movedOf(epochs),
  };
}

function sideOf(sides: readonly ShadowSide[]): ReportedSide | null {
  const utilizationMax = spreadOf(sides, highestOf, Math.max);
  const meanMs = spreadOf(sides, ({ rttMs }) => rttMs.mean, Math.max);
  const p95Ms = spreadOf(sides, ({ rttMs }) => rttMs.p95, Math.max);
  if (!utilizationMax || !meanMs || !p95Ms) return null;
  const known = sides.flatMap(({ connectionLocality }) => (connectionLocality === null ? [] : [connectionLocality]));
  return {
    utilizationMax,
    rttMs: { mean: meanMs, p95: p95Ms },
    connectionLocality: spreadOf(known, (share) => share, Math.min),
  };
}

export function highestOf({ utilization }: ShadowSide): number {
  return Math.max(0, ...Object.values(utilization));
}

function spreadOf<T>(
  items: readonly T[],
  of: (item: T) => number,
  worse: (a: number, b: number) => number,
): Spread | null {
  const values = items.map(of);
  const last = values.at(-1);
  if (last === undefined) return null;
  return { mean: mean(values), worst: values.reduce((a, b) => worse(a, b)), last };
}

function movedOf(epochs: readonly EpochSummary[]): Moved {
  const startsMs = epochs.map(({ time }) => Date.parse(time));
  const firstMs = startsMs[0] ?? 0;
  let [firstHour, after, epochsAfter, epochMax] = [0, 0, 0, 0];
  epochs.forEach(({ churn }, i) => {
    const moved = churn.forced + churn.elective;
    if (startsMs[i]! - firstMs < hourMs) firstHour += moved;
    else {
      after += moved;
      epochsAfter += 1;
    }
    epochMax = Math.max(epochMax, moved);
  });
  const epochMs = (startsMs.at(-1)! - firstMs) / (epochs.length - 1);
  return { firstHour, hourAfter: epochsAfter > 0 ? (after / epochsAfter) * (hourMs / epochMs) : null, epochMax };
}
