/** The runs of a series side by side, and what is promised of ours beside what was measured. */

import type { ChurnRun } from './churn-run.ts';
import { atMost, type Figure, told } from './figure.ts';

/** A Markdown table. */
export function runLines(runs: readonly ChurnRun[], needed: number | null): readonly string[] {
  const { oneDatacenterBound: bound, hours } = runs[0]!;
  const share = (value: number): string => value.toFixed(4);
  return [
    '| way | users moved an epoch | x minimum | friends together (p5) | segments whole (p5) | an hour: 1 datacenter (worst) | at most 2 (worst) | served to wanted | CPU ms |',
    '|---|---|---|---|---|---|---|---|---|',
    ...runs.map((run) =>
      [
        `| ${run.way}`,
        `${(100 * run.churn).toFixed(3)} %`,
        run.toMinimum.toFixed(3),
        `${share(run.locality.mean)} (${share(run.locality.p5)})`,
        run.segmentsWhole ? `${share(run.segmentsWhole.mean)} (${share(run.segmentsWhole.p5)})` : '-',
        `${share(run.oneDatacenter.mean)} (${share(run.oneDatacenter.worst)})`,
        `${share(run.twoDatacenters.mean)} (${share(run.twoDatacenters.worst)})`,
        run.servedToWanted.toFixed(5),
        `${run.msAnEpoch.toFixed(0)} |`,
      ].join(' | '),
    ),
    `${needed === null ? '' : `needed for balance alone: ${(100 * needed).toFixed(3)} % an epoch; `}users whom fractions let see one datacenter in an hour: ${share(bound.mean)} (worst ${share(bound.worst)})`,
    `hours without an event: ${hours.calm + hours.waiting}, of which ${hours.waiting} are not counted: users move in them who had to wait for churnMax`,
  ];
}

interface Promised {
  readonly whole: number;
  readonly gain: number | null; // locality over stable segments at level 7, ties known by cell
  readonly gainOfBuckets: number | null; // with the quotient graph alone
  readonly servedToWanted: number;
}

const promised: Readonly<Record<string, Promised>> = {
  '1': { whole: 0.985, gain: null, gainOfBuckets: null, servedToWanted: 0.003 },
  '2': { whole: 0.985, gain: 0.04, gainOfBuckets: 0.03, servedToWanted: 0.003 },
  '3': { whole: 0.95, gain: 0.07, gainOfBuckets: 0.055, servedToWanted: 0.006 },
};

/** `runs` begin with ours, ours by the quotient graph alone, ours with the locality step off, plain segments at level 7.
 *  `heldOut`: ours and plain segments where a tenth of the ties is hidden. */
export function churnFigures(
  series: string,
  runs: readonly ChurnRun[],
  heldOut: readonly ChurnRun[],
): readonly Figure[] {
  const [ours, buckets, off, segments] = runs as [ChurnRun, ChurnRun, ChurnRun, ChurnRun];
  const { whole, gain, gainOfBuckets, servedToWanted } = promised[series]!;
  return [
    atMost('locality step off: moved beyond 1.005 x minimum, worst epoch', off.worstOverLeast, 0.0001, 6),
    ...[ours, buckets].flatMap((run) => [
      atMost(`${run.way}: elective churn, highest epoch`, run.electiveMax, 0.05, 4),
      atMost(`${run.way}: churn of the week over its minimum`, run.toMinimum, 1.1, 4),
      atMost(`${run.way}: moved beyond 1.5 x minimum, worst epoch`, run.worstOver, 0.001, 5),
      atLeast(`${run.way}: segments whole`, run.segmentsWhole!.mean, whole),
      atLeast(`${run.way}: segments whole, 5th percentile of epochs`, run.segmentsWhole!.p5, 0.94),
      atMost(`${run.way}: served to wanted, half L1`, run.servedToWanted, servedToWanted, 5),
      atMost(
        `${run.way}: friends together, first day over last day`,
        run.locality.firstDay - run.locality.lastDay,
        0.015,
        4,
      ),
      atMost(
        `${run.way}: users seeing one datacenter in an hour, under what fractions allow`,
        run.oneDatacenterBound.mean - run.oneDatacenter.mean,
        0.012,
        4,
      ),
      atMost(`${run.way}: the same, worst hour`, run.oneDatacenterBound.worst - run.oneDatacenter.worst, 0.035, 4),
      atLeast(`${run.way}: users seeing at most two datacenters in an hour`, run.twoDatacenters.mean, 0.99),
      atLeast(`${run.way}: the same, worst hour`, run.twoDatacenters.worst, 0.94),
    ]),
    ...gained('friends together over plain segments at level 7', ours, segments, gain),
    ...gained('the same with the quotient graph alone', buckets, segments, gainOfBuckets),
    ...hiddenFigures(heldOut, gain !== null),
  ];
}

function gained(what: string, ours: ChurnRun, segments: ChurnRun, least: number | null): readonly Figure[] {
  const gain = ours.locality.mean - segments.locality.mean;
  if (least === null) return [told(what, gain.toFixed(4))];
  return [
    atLeast(what, gain, least),
    atLeast(`${what}, 5th percentile of epochs`, ours.locality.p5 - segments.locality.p5, least / 2),
  ];
}

/** Of the ties a tenth was hidden from tree and assignment. */
function hiddenFigures([ours, segments]: readonly ChurnRun[], isPromised: boolean): readonly Figure[] {
  if (!ours || !segments) return [];
  const seen = ours.locality.mean - segments.locality.mean;
  const hidden = ours.hiddenLocality! - segments.hiddenLocality!;
  const what = 'gained on hidden ties, of what is gained on the rest';
  const measured = `${(hidden / seen).toFixed(3)} (${hidden.toFixed(4)} of ${seen.toFixed(4)})`;
  return [isPromised ? { what, measured, limit: 'at least 0.8', holds: hidden >= 0.8 * seen } : told(what, measured)];
}

function atLeast(what: string, measured: number, limit: number): Figure {
  return { what, measured: measured.toFixed(4), limit: `at least ${limit}`, holds: measured >= limit };
}
