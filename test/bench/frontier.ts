/** What it costs to let friends meet: the real week under `balance` at several prices of `localityPriceMs`, its round trips,
 *  balance and churn beside the ties that can meet and those that do, inside an edge and between edges.
 *  `npm run bench -- frontier [--out FILE.html|.svg]`; exit 3 where a promise is missed. CPU is this thread's, the engine's by
 *  itself. docs/connection-aware.md has the table. */

import { writeFileSync } from 'node:fs';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { type ReplaySummary, ReportBuilder } from '../../pipeline/replay/report.ts';
import { replayWorld } from '../../pipeline/replay/world-replay.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import type { Solver } from '../../runtime/lp/problem.ts';
import { type Figure, told } from './figure.ts';
import { type MeetingParts, MeetingTies } from './meeting-ties.ts';
import { contextOf, policyOf, realWeek, wholeSpan } from './real-week.ts';

const pricesMs = [0, 10, 30, 100, 120, 300, 1000] as const;

interface Point {
  readonly priceMs: number;
  readonly summary: ReplaySummary;
  readonly engineMs: number; // CPU an epoch
  readonly planningMs: number; // CPU an epoch: the engine, all else of the solve, and buckets
  readonly parts: MeetingParts;
}

/** Every so many tables are looked at tie by tie: four times a day, at another time each day. */
const lookedAtEvery = 73;

const moreCanMeetMin = 0.08;
const rttMax = 1.06; // times that without
const churnMax = 1.2;
const engineMax = 3;

/** Null where the data is absent. */
export async function frontierFigures(dataDir: string, out: string | null): Promise<Figure[] | null> {
  const world = realWeek(dataDir);
  if (!world) return null;
  const { tree, weights } = await contextOf(world, 'default');
  const points: Point[] = [];
  for (const priceMs of pricesMs) points.push(await weekAt(world, { tree, weights }, priceMs));
  if (out !== null) writeFileSync(out, out.endsWith('.svg') ? plot(points) : page(points));
  const [free, ...paid] = points as [Point, ...Point[]];
  return [...promises(free, paid), ...points.map((point) => told(`price ${point.priceMs} ms`, wordsOf(point, free)))];
}

async function weekAt(world: World, context: Pick<EpochContext, 'tree' | 'weights'>, priceMs: number): Promise<Point> {
  const policy = policyOf({ localityPriceMs: priceMs });
  const [planning, judging] = [await openEngine('highs'), await openEngine('highs')];
  let engineMs = 0;
  const solver: Solver = {
    name: 'highs',
    solve: async (program, prices) => {
      const from = cpuMs();
      const answer = planning(program, prices);
      engineMs += cpuMs() - from;
      return answer;
    },
  };
  const judge: Solver = { name: 'highs', solve: async (program) => judging(program) };
  const report = new ReportBuilder(
    world,
    policy,
    { ...context, solver },
    certifiedBy([judge], () => {}),
  );
  const from = cpuMs();
  let reportMs = 0;
  const ties = new MeetingTies(world, context.tree, context.weights);
  const { segmentLevel } = policy.spec.buckets;
  let epochs = 0;
  for await (const epoch of replayWorld(world, policy, { ...context, solver }, wholeSpan(world, false))) {
    const before = cpuMs();
    await report.add(epoch);
    epochs += 1;
    if (epoch.table && epochs % lookedAtEvery === 0) ties.look(epoch.table, epoch.demandRps, segmentLevel);
    reportMs += cpuMs() - before;
  }
  const planningMs = cpuMs() - from - reportMs;
  const { summary } = report.finish();
  const { parts } = ties;
  return { priceMs, summary, engineMs: engineMs / summary.epochs, planningMs: planningMs / summary.epochs, parts };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** At the lowest price drawn that buys enough; where none does, at the highest. */
function promises(free: Point, paid: readonly Point[]): Figure[] {
  const gained = (point: Point): number => point.summary.tiesCanMeet.mean - free.summary.tiesCanMeet.mean;
  const at = paid.find((point) => gained(point) >= moreCanMeetMin) ?? paid.at(-1)!;
  const where = `at ${at.priceMs} ms`;
  const ratio = (of: (point: Point) => number): number => of(at) / of(free);
  const promise = (what: string, measured: number, digits: number, limit: string, holds: boolean): Figure => ({
    what: `${what} ${where}`,
    measured: measured.toFixed(digits),
    limit,
    holds,
  });
  const rtt = ratio(({ summary }) => summary.rttMs.mean);
  const churn = ratio(churnOf);
  const engine = ratio(({ engineMs }) => engineMs);
  const gap = at.summary.utilizationGap.p50 - free.summary.utilizationGap.p50;
  const level = at.summary.utilizationMax - free.summary.utilizationMax;
  const { balanceTolerance } = policyOf().spec.guards;
  return [
    promise('more ties that can meet', gained(at), 4, `at least ${moreCanMeetMin}`, gained(at) >= moreCanMeetMin),
    promise('mean round trip, times that without', rtt, 4, `at most ${rttMax}`, rtt <= rttMax),
    promise(
      'median utilization over the optimum, more',
      gap,
      4,
      `at most ${balanceTolerance}`,
      gap <= balanceTolerance,
    ),
    promise(
      'highest utilization of the week, more',
      level,
      4,
      `at most ${balanceTolerance}`,
      level <= balanceTolerance,
    ),
    promise('churn, times that without', churn, 3, `at most ${churnMax}`, churn <= churnMax),
    promise("the engine's CPU, times that without", engine, 2, `at most ${engineMax}`, engine <= engineMax),
    told(`CPU of planning, buckets and all, times that without, ${where}`, ratio((one) => one.planningMs).toFixed(2)),
  ];
}

function churnOf({ summary: { churn } }: Point): number {
  return churn.forced + churn.elective;
}

function wordsOf(point: Point, free: Point): string {
  return columns.map(({ name, of }) => `${name} ${of(point, free)}`).join(', ');
}

const columns: readonly { readonly name: string; readonly of: (point: Point, free: Point) => string }[] = [
  { name: 'mean rtt', of: ({ summary }) => `${summary.rttMs.mean.toFixed(1)} ms` },
  { name: 'rise', of: (point, free) => `${(100 * riseOf(point, free)).toFixed(1)} %` },
  { name: 'gap p50', of: ({ summary }) => summary.utilizationGap.p50.toFixed(4) },
  { name: 'p95', of: ({ summary }) => summary.utilizationGap.p95.toFixed(4) },
  { name: 'churn', of: (point) => churnOf(point).toFixed(4) },
  { name: 'can meet', of: ({ summary }) => summary.tiesCanMeet.mean.toFixed(4) },
  { name: 'do meet', of: ({ summary }) => summary.connectionLocality.mean.toFixed(4) },
  { name: 'inside an edge', of: ({ parts }) => parts.inside.toFixed(3) },
  { name: 'between edges', of: ({ parts }) => parts.between.toFixed(3) },
  { name: 'chosen anew', of: ({ parts }) => parts.anew.toFixed(3) },
  { name: 'datacenters an edge', of: ({ parts }) => parts.datacentersAnEdge.toFixed(2) },
  { name: 'segments whole', of: ({ summary }) => summary.segmentsWhole.mean.toFixed(4) },
  {
    name: 'engine CPU',
    of: ({ engineMs }, free) => `${engineMs.toFixed(1)} ms (x${(engineMs / free.engineMs).toFixed(2)})`,
  },
  { name: 'planning CPU', of: ({ planningMs }) => `${planningMs.toFixed(1)} ms` },
];

function riseOf(point: Point, free: Point): number {
  return point.summary.rttMs.mean / free.summary.rttMs.mean - 1;
}

function page(points: readonly Point[]): string {
  const row = (cells: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  const rows = points.map((point) =>
    row([`${point.priceMs} ms`, ...columns.map(({ of }) => of(point, points[0]!))], 'td'),
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Friends who can meet</title>
<style>body { font: 14px/1.5 system-ui, sans-serif; max-width: 100em; margin: 2em auto; padding: 0 1em } svg { max-width: 76em } table { border-collapse: collapse } td, th { padding: .1em .6em; text-align: right; border-top: 1px solid #8884 } td { white-space: nowrap } th { vertical-align: bottom }</style>
</head><body><h1>Friends who can meet, for latency</h1>
${plot(points)}
<table>${row(['localityPriceMs', ...columns.map(({ name }) => name)], 'th')}
${rows.join('\n')}
</table>
<p>CPU is of an epoch. Of all ties, ${(100 * points[0]!.parts.insideShare).toFixed(1)} % are inside an edge; &ldquo;inside&rdquo; and &ldquo;between&rdquo; are shares of those that do meet. &ldquo;Chosen anew&rdquo;: all that would, had the buckets been chosen from nothing for the same fractions.</p></body></html>
`;
}

const lines: readonly { readonly name: string; readonly color: string; readonly of: (point: Point) => number }[] = [
  { name: 'can meet', color: '#3b7dd8', of: ({ summary }) => summary.tiesCanMeet.mean },
  { name: 'do meet', color: '#d8603b', of: ({ summary }) => summary.connectionLocality.mean },
  { name: 'do, inside an edge', color: '#5a9a4a', of: ({ parts }) => parts.inside },
  { name: 'do, between edges', color: '#8a63b8', of: ({ parts }) => parts.between },
];

/** Shares of ties, price by price, evenly spaced: what is worth having is bought by the first of them. */
function plot(points: readonly Point[]): string {
  const [width, height, left, right, top, bottom] = [900, 400, 50, 140, 20, 60];
  const step = (width - left - right) / (points.length - 1);
  const x = (i: number): string => (left + i * step).toFixed(1);
  const y = (share: number): string => (height - bottom - share * (height - top - bottom)).toFixed(1);
  const drawn = lines.map(({ name, color, of }) => {
    const dots = points.map(
      (point, i) =>
        `<circle cx="${x(i)}" cy="${y(of(point))}" r="3" fill="${color}"><title>${name} at ${point.priceMs} ms: ${of(point).toFixed(3)}</title></circle>`,
    );
    const path = points.map((point, i) => `${x(i)},${y(of(point))}`).join(' ');
    const label = `<text x="${Number(x(points.length - 1)) + 8}" y="${y(of(points.at(-1)!))}" dominant-baseline="middle" fill="${color}">${name}</text>`;
    return `<polyline fill="none" stroke="${color}" points="${path}"/>${dots.join('')}${label}`;
  });
  const shares = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line stroke="#8884" x1="${left}" x2="${width - right}" y1="${y(share)}" y2="${y(share)}"/>` +
      `<text x="${left - 8}" y="${y(share)}" text-anchor="end" dominant-baseline="middle">${share}</text>`,
  );
  const prices = points.map(
    (point, i) =>
      `<text x="${x(i)}" y="${height - bottom + 18}" text-anchor="middle">${point.priceMs} ms</text>` +
      `<text x="${x(i)}" y="${height - bottom + 34}" text-anchor="middle" fill="#777">+${(100 * riseOf(point, points[0]!)).toFixed(1)} %</text>`,
  );
  const promised = y(points[0]!.summary.tiesCanMeet.mean + moreCanMeetMin);
  const goal = `<line stroke="#3b7dd8" stroke-dasharray="4 4" x1="${left}" x2="${width - right}" y1="${promised}" y2="${promised}"/><text x="${width - right + 8}" y="${promised}" dominant-baseline="middle" fill="#777">promised: can, +${moreCanMeetMin}</text>`;
  const affordable = points.filter((point) => riseOf(point, points[0]!) <= rttMax - 1).length - 1;
  const band = `<rect x="${left}" y="${top}" width="${(affordable * step).toFixed(1)}" height="${height - top - bottom}" fill="#3b7dd811"/><text x="${left + 6}" y="${top + 12}" fill="#777">mean round trip at most ${Math.round(100 * (rttMax - 1))} % more</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui" font-size="11" role="img" aria-label="Shares of ties that can and do meet, by localityPriceMs">${band}${shares.join('')}${prices.join('')}<text x="${(width - right + left) / 2}" y="${height - 8}" text-anchor="middle">localityPriceMs, and what it adds to the mean round trip</text>${goal}${drawn.join('')}</svg>`;
}
