/** The report as one page for people: no script, no outside resource, plots as inline SVG. Names reach the page escaped. */

import type { ReplayReport, ReportedEpoch } from './report.ts';
import { comparedSummaries } from './summary-comparison.ts';

const width = 960;
const height = 220;
const margin = { left: 48, right: 12, top: 8, bottom: 24 } as const;
const palette = [
  '#3b7dd8',
  '#d8603b',
  '#3ba55d',
  '#9b59b6',
  '#c9a227',
  '#2aa7a7',
  '#c0447c',
  '#7a6a58',
  '#5566aa',
  '#88aa33',
  '#aa5533',
  '#449988',
] as const;

export function htmlReport({ epochs, summary, assertions, whatIf, against }: ReplayReport): string {
  const datacenters = Object.keys(epochs[0]?.utilization ?? {});
  const outcomes = Object.entries(summary.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  const rows: readonly (readonly [string, string])[] = [
    ['epochs', `${summary.epochs}: ${outcomes.join(', ')}`],
    ['highest utilization', summary.utilizationMax.toFixed(4)],
    [
      'over the least possible',
      `p50 ${summary.utilizationGap.p50.toFixed(4)}, p95 ${summary.utilizationGap.p95.toFixed(4)}, p99 ${summary.utilizationGap.p99.toFixed(4)}, max ${summary.utilizationGap.max.toFixed(4)}`,
    ],
    ['round trip', `mean ${summary.rttMs.mean.toFixed(1)} ms, mean p95 ${summary.rttMs.p95Mean.toFixed(1)} ms`],
    [
      'churn an epoch',
      `forced ${summary.churn.forced.toFixed(4)}, elective ${summary.churn.elective.toFixed(4)} (max ${summary.churn.electiveMax.toFixed(4)}), deferred ${summary.churn.deferred.toFixed(4)}`,
    ],
    ['least possible churn', `${summary.churn.minimum.toFixed(4)} (${summary.churn.toMinimum.toFixed(3)} x)`],
    ['needed for balance alone', summary.needed?.toFixed(4) ?? 'not known'],
    ['friends together', `mean ${summary.connectionLocality.mean.toFixed(4)}`],
    ['friends who can meet', `mean ${summary.tiesCanMeet.mean.toFixed(4)}`],
    ['segments whole', `mean ${summary.segmentsWhole.mean.toFixed(4)}`],
    ['tables', summary.tablesSha256],
    ...(assertions ?? []).map(({ assertion, holds }) => {
      const judged = holds === null ? 'not judged' : holds ? 'holds' : 'failed';
      return ['asserted', `${assertion}: ${judged}`] as const;
    }),
    ...(whatIf ? [['what if', whatIf.join(', ')] as const] : []),
  ];
  const events = epochs.filter(({ outcome }) => outcome === 'held' || outcome === 'rejected').slice(0, 50);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taiji replay</title><style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667; --line: #8884; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3ec; --soft: #99a3b3; --paper: #14181f } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1000px; margin: 2em auto; padding: 0 1em }
h2 { font-size: 1.05em; margin: 1.6em 0 .3em } td { padding: .15em 1em .15em 0; vertical-align: top; overflow-wrap: anywhere }
td:first-child { color: var(--soft); white-space: nowrap } svg { width: 100%; height: auto } text { fill: var(--soft); font-size: 11px }
.axis { stroke: var(--line) } .legend span { margin-right: 1em; white-space: nowrap } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .3em }
</style></head><body>
<h1>Taiji replay</h1>
<p>${escapeHtml(epochs[0]?.time ?? '')} to ${escapeHtml(epochs.at(-1)?.time ?? '')}</p>
<table>${rows.map(([name, value]) => `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`).join('')}</table>
${against ? `<h2>Against another policy</h2><pre>${escapeHtml(comparedSummaries(summary, against.summary).join('\n'))}</pre>` : ''}
${chart(
  'Utilization by datacenter',
  epochs,
  datacenters.map((name) => ({ name, value: (epoch) => epoch.utilization[name]! })),
)}
${chart('Churn, share of demand an epoch', epochs, [
  { name: 'forced and elective', value: ({ churn }) => churn.forced + churn.elective },
  { name: 'least possible for these fractions', value: ({ churn }) => churn.minimum },
  { name: 'needed for balance alone', value: ({ needed }) => needed },
])}
${chart('Round trip, ms', epochs, [
  { name: 'mean', value: ({ rttMs }) => rttMs.mean },
  { name: 'p95', value: ({ rttMs }) => rttMs.p95 },
])}
${chart('Friends together, segments whole', epochs, [
  { name: 'friends together', value: ({ connectionLocality }) => connectionLocality },
  { name: 'friends who can meet', value: ({ tiesCanMeet }) => tiesCanMeet },
  { name: 'segments whole', value: ({ segmentsWhole }) => segmentsWhole },
])}
${
  events.length === 0
    ? ''
    : `<h2>Held and rejected</h2><table>${events.map(({ time, outcome, reason }) => `<tr><td>${escapeHtml(time)}</td><td>${outcome}: ${escapeHtml(reason ?? '')}</td></tr>`).join('')}</table>`
}
</body></html>
`;
}

interface Series {
  readonly name: string;
  readonly value: (epoch: ReportedEpoch) => number | null; // null: not known
}

function chart(title: string, epochs: readonly ReportedEpoch[], asked: readonly Series[]): string {
  const series = asked.filter(({ value }) => epochs.some((epoch) => value(epoch) !== null));
  const top = Math.max(
    1e-9,
    ...series.map(({ value }) => epochs.reduce((most, epoch) => Math.max(most, value(epoch) ?? 0), 0)),
  );
  const x = (i: number): string =>
    (margin.left + (i / Math.max(1, epochs.length - 1)) * (width - margin.left - margin.right)).toFixed(1);
  const y = (value: number): string =>
    (height - margin.bottom - (value / top) * (height - margin.top - margin.bottom)).toFixed(1);
  const ticks = [0, 0.5, 1].map((share) => {
    const at = y(share * top);
    const label = (share * top).toPrecision(3);
    return `<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/><text x="${margin.left - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${label}</text>`;
  });
  const times = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const i = Math.round(share * (epochs.length - 1));
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    const time = epochs[i]?.time.slice(5, 16).replace('T', ' ') ?? '';
    return `<text x="${x(i)}" y="${height - 6}" text-anchor="${anchor}">${escapeHtml(time)}</text>`;
  });
  // Where a value is not known the line is broken.
  const lines = series.flatMap(({ value }, s) => {
    const points = epochs.map((epoch, i) => {
      const known = value(epoch);
      return known === null ? '|' : `${x(i)},${y(known)}`;
    });
    const pieces = points
      .join(' ')
      .split('|')
      .map((piece) => piece.trim());
    return pieces
      .filter((piece) => piece !== '')
      .map((piece) => `<polyline fill="none" stroke="${colorOf(s)}" stroke-width="1.2" points="${piece}"/>`);
  });
  const legend = series.map(
    ({ name }, s) => `<span><i style="background:${colorOf(s)}"></i>${escapeHtml(name)}</span>`,
  );
  return `<h2>${escapeHtml(title)}</h2><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${[...ticks, ...times, ...lines].join('')}</svg><p class="legend">${legend.join(' ')}</p>`;
}

function colorOf(index: number): string {
  return palette[index % palette.length]!;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}
