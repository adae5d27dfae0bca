/** What it costs to let friends meet: the real week under `balance` at several prices of `localityPriceMs`, its round trips,
 *  balance and churn beside the ties that can meet and those that do. `npm run bench -- frontier [--out FILE.html|.svg]`;
 *  exit 3 where a promise is missed. CPU is this thread's, the engine's by itself. */

import { writeFileSync } from 'node:fs';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch.ts';
import { type ReplaySummary, ReportBuilder } from '../../pipeline/replay/report.ts';
import { replayWorld } from '../../pipeline/replay/world-replay.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import type { Solver } from '../../runtime/lp/problem.ts';
import { type Figure, told } from './figure.ts';
import { contextOf, policyOf, realWeek, wholeSpan } from './real-week.ts';

const pricesMs = [0, 10, 30, 100, 120, 300, 1000] as const;

interface Point {
  readonly priceMs: number;
  readonly summary: ReplaySummary;
  readonly engineMs: number; // CPU an epoch
  readonly planningMs: number; // CPU an epoch: the engine, all else of the solve, and buckets
}

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
  for await (const epoch of replayWorld(world, policy, { ...context, solver }, wholeSpan(world, false))) {
    const before = cpuMs();
    await report.add(epoch);
    reportMs += cpuMs() - before;
  }
  const planningMs = cpuMs() - from - reportMs;
  const { summary } = report.finish();
  return { priceMs, summary, engineMs: engineMs / summary.epochs, planningMs: planningMs / summary.epochs };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** At the lowest price drawn that buys enough; where none does, at the highest. */
function promises(free: Point, paid: readonly Point[]): Figure[] {
  const gained = (point: Point): number => point.summary.tiesCanMeet.mean - free.summary.tiesCanMeet.mean;
  const at = paid.find((point) => gained(point) >= 0.08) ?? paid.at(-1)!;
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
    promise('more ties that can meet', gained(at), 4, 'at least 0.08', gained(at) >= 0.08),
    promise('mean round trip, times that without', rtt, 4, 'at most 1.06', rtt <= 1.06),
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
    promise('churn, times that without', churn, 3, 'at most 1.2', churn <= 1.2),
    promise("the engine's CPU, times that without", engine, 2, 'at most 3', engine <= 3),
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
  { name: 'segments whole', of: ({ summary }) => summary.segmentsWhole.mean.toFixed(4) },
  { name: 'engine CPU', of: ({ engineMs }, free) => `x${(engineMs / free.engineMs).toFixed(2)}` },
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
<style>body { font: 14px/1.5 system-ui, sans-serif; max-width: 60em; margin: 2em auto } td, th { padding: .1em .8em; text-align: right }</style>
</head><body><h1>Friends who can meet, for latency</h1>
${plot(points)}
<table>${row(['localityPriceMs', ...columns.map(({ name }) => name)], 'th')}
${rows.join('\n')}
</table></body></html>
`;
}

/** Ties over the rise of the mean round trip: those that can meet, and those that do. */
function plot(points: readonly Point[]): string {
  const [width, height, margin] = [760, 380, 50];
  const rises = points.map((point) => riseOf(point, points[0]!));
  const most = Math.max(0.01, ...rises);
  const x = (rise: number): string => (margin + (rise / most) * (width - 2 * margin)).toFixed(1);
  const y = (share: number): string => (height - margin - share * (height - 2 * margin)).toFixed(1);
  const line = (color: string, name: string, of: (summary: ReplaySummary) => number): string => {
    const at = points.map((point, i) => [x(rises[i]!), y(of(point.summary)), point.priceMs] as const);
    const dots = at.map(
      ([cx, cy, priceMs]) =>
        `<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"><title>${name}, ${priceMs} ms</title></circle>` +
        `<text x="${cx}" y="${Number(cy) - 8}" text-anchor="middle">${priceMs}</text>`,
    );
    const [lastX, lastY] = at.at(-1)!;
    return (
      `<polyline fill="none" stroke="${color}" points="${at.map(([px, py]) => `${px},${py}`).join(' ')}"/>${dots.join('')}` +
      `<text x="${lastX}" y="${Number(lastY) + 18}" text-anchor="end" fill="${color}">${name}</text>`
    );
  };
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line stroke="#8884" x1="${margin}" x2="${width - margin}" y1="${y(share)}" y2="${y(share)}"/>` +
      `<text x="${margin - 6}" y="${y(share)}" text-anchor="end" dominant-baseline="middle">${share}</text>` +
      `<text x="${x(share * most)}" y="${height - margin + 18}" text-anchor="middle">+${(100 * share * most).toFixed(1)} %</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui" font-size="11" role="img" aria-label="Share of ties over the rise of the mean round trip, by localityPriceMs">${ticks.join('')}<text x="${width / 2}" y="${height - 8}" text-anchor="middle">mean round trip; at each point localityPriceMs</text>${line('#3b7dd8', 'ties that can meet', ({ tiesCanMeet }) => tiesCanMeet.mean)}${line('#d8603b', 'ties that do', ({ connectionLocality }) => connectionLocality.mean)}</svg>`;
}
