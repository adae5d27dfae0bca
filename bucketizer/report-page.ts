/** A tree's report as one page for people: no script, no outside resource, plots as inline SVG. Names of people are not in
 *  it; numbers are all there is. Declined: the page of a replay with another subject; that one plots epochs. */

import type { TreeReport } from './bucketize.ts';

const width = 760;
const height = 260;
const margin = { left: 48, right: 12, top: 10, bottom: 40 } as const;
const palette = ['#3b7dd8', '#d8603b', '#3ba55d'] as const;

/** HTML. The same report gives the same page. */
export function reportPage(report: TreeReport): string {
  const { users, ties, levels, meanLocality, treeVersion, cache } = report;
  const buckets = levels.at(-1)!;
  const facts = [
    ['tree', treeVersion],
    ['users', `${users}, ${report.usersWithoutTies} without ties, in ${buckets.nodes} buckets`],
    ['ties', `${ties.kept} kept of ${ties.given}`],
    ['locality', `${buckets.locality.toFixed(4)} inside buckets, ${meanLocality.toFixed(4)} in the mean of the levels`],
    ['heaviest bucket', `${(1 + buckets.imbalance).toFixed(3)} x even`],
  ];
  const below = levels.slice(1);
  const hash = below.map(({ nodes }) => 1 / nodes);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taiji bucket tree</title><style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667; --line: #8884; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3ec; --soft: #99a3b3; --paper: #14181f } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 800px; margin: 2em auto; padding: 0 1em }
h2 { font-size: 1.05em; margin: 1.6em 0 .3em } td, th { padding: .1em 1em .1em 0; text-align: left; overflow-wrap: anywhere }
td:first-child { color: var(--soft) } svg { width: 100%; height: auto } text { fill: var(--soft); font-size: 11px }
.axis { stroke: var(--line) } .legend span { margin-right: 1em } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .3em }
</style></head><body>
<h1>Taiji bucket tree</h1>
<table>${facts.map(([name, value]) => `<tr><td>${name}</td><td>${value}</td></tr>`).join('')}</table>
${cache === null ? '' : missPlot(cache)}
${plot(
  'Share of ties inside one segment, where segments of a level are routed as a whole',
  below.map(({ level, nodes }) => `${level} (${nodes})`),
  'level (segments)',
  [
    { name: 'tree', values: below.map(({ locality }) => locality) },
    { name: 'hash', values: hash },
  ],
)}
</body></html>
`;
}

function missPlot({ datacenters, curve }: NonNullable<TreeReport['cache']>): string {
  return plot(
    `Cache misses in ${datacenters} datacenters, by how users are routed`,
    curve.map(({ cacheShare }) => percent(cacheShare)),
    'items a cache holds, of all',
    (['tree', 'hash', 'random'] as const).map((name) => ({
      name,
      values: curve.map(({ missRate }) => missRate[name]),
    })),
  );
}

interface Line {
  readonly name: string;
  readonly values: readonly number[]; // 0..1, beside the labels
}

/** A plot, and the same numbers as a table. */
function plot(title: string, labels: readonly string[], axis: string, lines: readonly Line[]): string {
  const x = (i: number): string =>
    (margin.left + (i / Math.max(1, labels.length - 1)) * (width - margin.left - margin.right)).toFixed(1);
  const y = (share: number): string =>
    (height - margin.bottom - share * (height - margin.top - margin.bottom)).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share);
    return `<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/><text x="${margin.left - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${share}</text>`;
  });
  const names = labels.map((label, i) => {
    const anchor = i === 0 ? 'start' : i === labels.length - 1 ? 'end' : 'middle';
    return `<text x="${x(i)}" y="${height - 24}" text-anchor="${anchor}">${label}</text>`;
  });
  const below = `<text x="${width / 2}" y="${height - 6}" text-anchor="middle">${axis}</text>`;
  const drawn = lines.map(({ values }, s) => {
    const points = values.map((value, i) => `${x(i)},${y(value)}`).join(' ');
    return `<polyline fill="none" stroke="${palette[s]}" stroke-width="1.6" points="${points}"/>`;
  });
  const legend = lines.map(({ name }, s) => `<span><i style="background:${palette[s]}"></i>${name}</span>`);
  const rows = labels.map((label, i) => {
    const cells = lines.map(({ values }) => `<td>${values[i]!.toFixed(4)}</td>`);
    return `<tr><td>${label}</td>${cells.join('')}</tr>`;
  });
  const head = `<tr><th>${axis}</th>${lines.map(({ name }) => `<th>${name}</th>`).join('')}</tr>`;
  return `<h2>${title}</h2><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${[...ticks, ...names, below, ...drawn].join('')}</svg><p class="legend">${legend.join(' ')}</p><table>${head}${rows.join('')}</table>`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
