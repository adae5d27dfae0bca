/** What `taiji get shadow` shows: the table, and the sentence below it, that somebody decides by. */

import type { ReportedSide, ShadowReport, Spread } from '../server/shadow-report.ts';

type Row = readonly string[];

export const shadowGettable = {
  path: '/shadow',
  service: 'path',
  header: ['figure', 'today', 'with taiji', 'worst today', 'worst with taiji'],
  rows: ({ today, taiji, elsewhere, moved, epochs, compared, from, to }: ShadowReport): readonly Row[] => {
    const both = (name: string, decimals: number, of: (side: ReportedSide) => Spread | null): Row => {
      const spreads = [today, taiji].map((side) => side && of(side));
      const told = (pick: (spread: Spread) => number) =>
        spreads.map((spread) => (spread ? pick(spread).toFixed(decimals) : '-'));
      return [name, ...told(({ mean }) => mean), ...told(({ worst }) => worst)];
    };
    const one = (name: string, share: number | null, worst: number | null = null): Row => {
      return [name, '-', percent(share), '-', percent(worst)];
    };
    return [
      both('highest utilization', 3, ({ utilizationMax }) => utilizationMax),
      both('mean rtt ms', 1, ({ rttMs }) => rttMs.mean),
      both('p95 rtt ms', 1, ({ rttMs }) => rttMs.p95),
      both('friends together', 3, ({ connectionLocality }) => connectionLocality),
      one('elsewhere than today', elsewhere?.mean ?? null, elsewhere?.worst),
      one('moved in the first hour', moved.firstHour, moved.epochMax),
      one('moved an hour since', moved.hourAfter),
      ['epochs compared', `${compared} of ${epochs}`, '-', from ?? '-', to ?? '-'],
    ];
  },
  words: ({ today, taiji, moved, unknown }: ShadowReport): string => {
    if (!today || !taiji) return `nothing was compared yet: ${unknown ?? 'no epoch was decided'}`;
    const change = (decimals: number, of: (side: ReportedSide) => Spread): string =>
      `${of(today).mean.toFixed(decimals)} -> ${of(taiji).mean.toFixed(decimals)}`;
    const level = change(2, ({ utilizationMax }) => utilizationMax);
    const rtt = change(0, ({ rttMs }) => rttMs.mean);
    const later = moved.hourAfter === null ? '' : `, ${percent(moved.hourAfter)} an hour after`;
    const lacks = unknown === null ? '' : `; the last epoch could not be compared: ${unknown}`;
    return `with Taiji: highest utilization ${level}, mean RTT ${rtt} ms, would move ${percent(moved.firstHour)} of users in the first hour${later}${lacks}`;
  },
} as const;

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '-' : `${(100 * share).toFixed(1)} %`;
}
