/** A policy's assertions held against the epochs of a dry run. Each must hold in every epoch that has its figure; counts
 *  (`heldEpochs` and the like) are of the epochs so far, so that the first epoch over the bound is known. A `rise` is
 *  the figure less that of the same epoch without the change. One that cannot be judged (a rise with nothing to compare
 *  with, a figure no epoch has) does not hold: whoever asserts something in a pipeline wants to hear that nobody looked. */

import type { Assertion } from '../../config/assertion.ts';

/** What of an epoch can be asserted. */
interface AssertableEpoch {
  readonly time: string;
  readonly outcome: string;
  readonly relaxed: readonly string[];
  readonly utilization: Readonly<Record<string, number>>;
  readonly utilizationGap: number | null;
  readonly datacentersInUse: number; // 0: there is no table
  readonly shareMax: number;
  readonly rttMs: { readonly mean: number; readonly p50: number; readonly p95: number };
  readonly churn: { readonly forced: number; readonly elective: number; readonly deferred: number };
  readonly connectionLocality: number;
  readonly segmentsWhole: number;
  readonly tiesCanMeet: number;
}

export interface AssertionResult {
  readonly assertion: string;
  readonly holds: boolean | null; // null: it could not be judged
  readonly why: string | null; // it could not
  readonly failedEpochs: number;
  readonly first: JudgedFigure | null; // the first epoch in which it fails
  readonly worst: JudgedFigure | null; // the epoch nearest to failing, or farthest beyond
}

interface JudgedFigure {
  readonly time: string;
  readonly value: number;
}

/** `without`: the same epochs without the change; null: there are none. `compareWith` tells how there would be some. */
export function judgeAssertions(
  assertions: readonly Assertion[],
  epochs: readonly AssertableEpoch[],
  without: readonly AssertableEpoch[] | null,
  compareWith: string,
): AssertionResult[] {
  return assertions.map((assertion) => {
    if (assertion.rise && without === null) return unjudged(assertion, `nothing to compare with; ${compareWith}`);
    const own = figuresOf(assertion, epochs);
    const base = assertion.rise && without ? figuresOf(assertion, without) : null;
    const judged = own.flatMap((value, i): JudgedFigure[] => {
      const before = base ? (base[i] ?? null) : 0;
      if (value === null || before === null) return [];
      return [{ time: epochs[i]!.time, value: tidy(value - before) }];
    });
    const [start] = judged;
    if (!start) return unjudged(assertion, `no epoch has a ${assertion.figure}`);
    const failed = judged.filter(({ value }) => !holds(assertion, value));
    const worst = judged.reduce((a, b) => (beyond(assertion, b.value) > beyond(assertion, a.value) ? b : a), start);
    return {
      assertion: assertion.text,
      holds: failed.length === 0,
      why: null,
      failedEpochs: failed.length,
      first: failed[0] ?? null,
      worst,
    };
  });
}

/** One line for each that fails or could not be judged. */
export function assertionLines(results: readonly AssertionResult[]): string[] {
  return results.flatMap(({ assertion, holds, why, failedEpochs, first, worst }) => {
    if (holds === null) return [`assertion not judged: ${assertion}: ${why}`];
    if (holds || !first || !worst) return [];
    const most = failedEpochs > 1 ? ` in ${failedEpochs} epochs, worst ${worst.value} at ${worst.time}` : '';
    return [`assertion failed: ${assertion}: ${first.value} at ${first.time}${most}`];
  });
}

export function allHold(results: readonly AssertionResult[]): boolean {
  return results.every(({ holds }) => holds === true);
}

function unjudged({ text }: Assertion, why: string): AssertionResult {
  return { assertion: text, holds: null, why, failedEpochs: 0, first: null, worst: null };
}

/** [epoch] null: it has none. Without a table, counts alone say something. */
function figuresOf({ figure }: Assertion, epochs: readonly AssertableEpoch[]): (number | null)[] {
  const counted = (counts: (epoch: AssertableEpoch) => boolean): number[] => {
    let count = 0;
    return epochs.map((epoch) => {
      if (counts(epoch)) count += 1;
      return count;
    });
  };
  const each = (of: (epoch: AssertableEpoch) => number | null): (number | null)[] =>
    epochs.map((epoch) => (epoch.datacentersInUse === 0 ? null : of(epoch)));
  switch (figure) {
    case 'heldEpochs':
      return counted(({ outcome }) => outcome === 'held');
    case 'rejectedEpochs':
      return counted(({ outcome }) => outcome === 'rejected');
    case 'relaxedEpochs':
      return counted(({ relaxed }) => relaxed.length > 0);
    case 'utilizationMax':
      return each(({ utilization }) => Math.max(...Object.values(utilization)));
    case 'utilizationGap':
      return each(({ utilizationGap }) => utilizationGap);
    case 'rttMsMean':
      return each(({ rttMs }) => rttMs.mean);
    case 'rttMsP50':
      return each(({ rttMs }) => rttMs.p50);
    case 'rttMsP95':
      return each(({ rttMs }) => rttMs.p95);
    case 'churn':
      return each(({ churn }) => churn.forced + churn.elective);
    case 'churnForced':
      return each(({ churn }) => churn.forced);
    case 'churnElective':
      return each(({ churn }) => churn.elective);
    case 'churnDeferred':
      return each(({ churn }) => churn.deferred);
    case 'datacentersInUse':
      return each(({ datacentersInUse }) => datacentersInUse);
    case 'shareMax':
      return each(({ shareMax }) => shareMax);
    case 'connectionLocality':
      return each(({ connectionLocality }) => connectionLocality);
    case 'tiesCanMeet':
      return each(({ tiesCanMeet }) => tiesCanMeet);
    case 'segmentsWhole':
      return each(({ segmentsWhole }) => segmentsWhole);
  }
}

function holds({ comparison, bound }: Assertion, value: number): boolean {
  switch (comparison) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    case '==':
      return value === bound;
  }
}

/** How far on the wrong side of the bound, negative on the right one. */
function beyond({ comparison, bound }: Assertion, value: number): number {
  if (comparison === '==') return Math.abs(value - bound);
  return comparison === '<' || comparison === '<=' ? value - bound : bound - value;
}

function tidy(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}
