/** The summaries of two replays for people: what both came to and how far apart they are. */

import { aligned, signed } from './comparison.ts';
import type { ReplaySummary } from './report.ts';

/** A header and one row a figure, `against` beside `own`. */
export function comparedSummaries(own: ReplaySummary, against: ReplaySummary): string[] {
  const rows = figures.map(({ name, decimals, of }) => {
    const [now, before] = [of(own), of(against)];
    return [name, now.toFixed(decimals), before.toFixed(decimals), signed(now - before, decimals), ''];
  });
  const same = own.tablesSha256 === against.tablesSha256;
  return [
    ...aligned([['', 'this policy', 'against', 'change', ''], ...rows]),
    same ? 'The tables are the same in every epoch.' : 'The tables differ.',
  ];
}

interface Figure {
  readonly name: string;
  readonly decimals: number;
  readonly of: (summary: ReplaySummary) => number;
}

const held = ({ outcomes }: ReplaySummary): number => (outcomes.held ?? 0) + (outcomes.rejected ?? 0);

const figures: readonly Figure[] = [
  { name: 'highest utilization', decimals: 4, of: ({ utilizationMax }) => utilizationMax },
  { name: 'over the least possible p50', decimals: 4, of: ({ utilizationGap }) => utilizationGap.p50 },
  { name: 'over the least possible p95', decimals: 4, of: ({ utilizationGap }) => utilizationGap.p95 },
  { name: 'rtt mean ms', decimals: 2, of: ({ rttMs }) => rttMs.mean },
  { name: 'rtt p95 ms', decimals: 2, of: ({ rttMs }) => rttMs.p95Mean },
  { name: 'churn forced', decimals: 4, of: ({ churn }) => churn.forced },
  { name: 'churn elective', decimals: 4, of: ({ churn }) => churn.elective },
  { name: 'churn deferred', decimals: 4, of: ({ churn }) => churn.deferred },
  { name: 'friends together', decimals: 4, of: ({ connectionLocality }) => connectionLocality.mean },
  { name: 'friends who can meet', decimals: 4, of: ({ tiesCanMeet }) => tiesCanMeet.mean },
  { name: 'segments whole', decimals: 4, of: ({ segmentsWhole }) => segmentsWhole.mean },
  { name: 'epochs in which limits gave', decimals: 0, of: ({ relaxedEpochs }) => relaxedEpochs },
  { name: 'epochs held or rejected', decimals: 0, of: held },
];
