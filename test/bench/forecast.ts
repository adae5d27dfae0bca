/** What the demand forecast is worth against the last value: on measured series, and in the real week, edge by edge and
 *  in what it does to the balance of datacenters. `npm run bench -- forecast`. The constants are the same for all of
 *  them: common values, tried on these files and not searched for on one. How fast a forecast follows is chosen online,
 *  from errors already made. Each series is judged after the weeks (days) it had to learn from; the real week is judged
 *  from its second step on. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { quantile } from '../../pipeline/replay/quantile.ts';
import { type ReplaySummary, ReportBuilder } from '../../pipeline/replay/report.ts';
import { replayWorld } from '../../pipeline/replay/world-replay.ts';
import { Forecaster } from '../../runtime/forecast.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import type { Figure } from './figure.ts';
import { contextOf, policyOf, realWeek, wholeSpan } from './real-week.ts';

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;

/** Null where the data is absent. */
export async function forecastFigures(dataDir: string): Promise<Figure[] | null> {
  const series = (file: string, epochMs: number, learnDays: number): Figure[] =>
    seriesFigures(file, readSeries(join(dataDir, 'demand', file)), epochMs, learnDays);
  const world = realWeek(dataDir);
  if (!world || !existsSync(join(dataDir, 'demand'))) return null;
  return [
    ...series('nab_nyc_taxi.csv', 30 * minuteMs, 56),
    ...series('nab_elb_request_count_8c0756.csv', 5 * minuteMs, 7),
    ...series('ms_ecommerce_api_incoming_rps_hourly_labelled.csv', 60 * minuteMs, 56),
    ...worldFigures(world),
    ...(await balanceFigures(world)),
  ];
}

interface Series {
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
}

/** The first two columns: a time, taken for UTC, and a number. Rows that do not come after the one before are left out:
 *  clocks were set back. */
function readSeries(file: string): Series {
  const timesMs: number[] = [];
  const values: number[] = [];
  for (const row of readFileSync(file, 'utf8').trim().split('\n').slice(1)) {
    const [time, value] = row.split(',').map((cell) => cell.replaceAll('"', '').trim());
    const timeMs = Date.parse(`${time!.replace(' ', 'T').replace(/Z$/, '')}Z`);
    if (timeMs <= (timesMs.at(-1) ?? Number.NEGATIVE_INFINITY)) continue;
    timesMs.push(timeMs);
    values.push(Number(value));
  }
  return { timesMs, values };
}

type Kind = 'last' | 'holt-winters';

/** One step ahead. */
interface Errors {
  absolute: number;
  relative: number; // summed over times with demand
  demand: number;
  times: number;
}

function seriesFigures(file: string, { timesMs, values }: Series, epochMs: number, learnDays: number): Figure[] {
  const judgedFromMs = timesMs[0]! + learnDays * dayMs;
  const errorsOf = (kind: Kind): Errors => {
    const forecaster = new Forecaster({ edges: 1, epochMs, kind });
    const errors = noErrors();
    timesMs.forEach((timeMs, t) => {
      if (timeMs >= judgedFromMs) count(errors, forecaster.next(timeMs)[0]!, values[t]!);
      forecaster.observe(timeMs, Float64Array.of(values[t]!));
    });
    return errors;
  };
  return compared(`${file}, after ${learnDays} days`, errorsOf('holt-winters'), errorsOf('last'));
}

function worldFigures(world: World): Figure[] {
  const spans = [
    ['its first day', 0, 1],
    ['the days after the first', 1, 8],
  ] as const;
  return spans.flatMap(([name, from, to]) => {
    const [ours, last] = [worldErrors(world, 'holt-winters', from, to), worldErrors(world, 'last', from, to)];
    const ratios = ours.edges.map((errors, e) => wape(errors) / wape(last.edges[e]!));
    const [median, worst] = [quantile(ratios, 0.5), quantile(ratios, 1)];
    return [
      ...compared(`the real week, ${name}, over all edges`, added(ours.edges), added(last.edges)),
      ...compared(`the real week, ${name}, all edges together`, ours.total, last.total),
      {
        what: `WAPE over that of the last value, the real week, ${name}, edge by edge`,
        measured: `median ${median.toFixed(3)}, worst ${worst.toFixed(3)}`,
        limit: 'worst at most 1',
        holds: worst <= 1,
      },
    ];
  });
}

/** Judged from day `from` of the world to day `to`. */
function worldErrors({ topology, demand: { timesMs, rps } }: World, kind: Kind, from: number, to: number) {
  const edges = topology.edges.length;
  const forecaster = new Forecaster({ edges: edges, epochMs: timesMs[1]! - timesMs[0]!, kind });
  const errors = { edges: topology.edges.map(noErrors), total: noErrors() };
  timesMs.forEach((timeMs, t) => {
    const actual = rps.subarray(t * edges, (t + 1) * edges);
    const day = (timeMs - timesMs[0]!) / dayMs;
    if (t > 0 && day >= from && day < to) {
      const forecast = forecaster.next(timeMs);
      errors.edges.forEach((one, e) => {
        count(one, forecast[e]!, actual[e]!);
      });
      count(errors.total, sum(forecast), sum(actual));
    }
    forecaster.observe(timeMs, actual);
  });
  return errors;
}

async function balanceFigures(world: World): Promise<Figure[]> {
  const context = await contextOf(world);
  const last = await weekUnder('last', false, world, context);
  const ours = await weekUnder('holt-winters', false, world, context);
  const { utilizationGap: least } = await weekUnder('last', true, world, context);
  const at = (name: 'p50' | 'p95' | 'p99' | 'max'): Figure =>
    lower(
      `highest utilization over the optimum, real week, ${name} (of a perfect forecast: ${least[name].toFixed(4)})`,
      ours.utilizationGap[name],
      last.utilizationGap[name],
      4,
    );
  const churn = (summary: ReplaySummary): number => summary.churn.forced + summary.churn.elective;
  return [
    ...(['p50', 'p95', 'p99', 'max'] as const).map(at),
    {
      what: 'churn an epoch, real week (not promised: a better aim is also followed more closely)',
      measured: `${churn(ours).toFixed(5)}, of the last value ${churn(last).toFixed(5)}`,
      limit: '',
      holds: true,
    },
  ];
}

async function weekUnder(kind: Kind, oracle: boolean, world: World, context: EpochContext): Promise<ReplaySummary> {
  const policy = policyOf({ forecast: kind });
  const builder = new ReportBuilder(
    world,
    policy,
    context,
    certifiedBy([context.solver], () => {}),
  );
  for await (const epoch of replayWorld(world, policy, context, wholeSpan(world, oracle))) await builder.add(epoch);
  return builder.finish().summary;
}

function count(errors: Errors, forecast: number, actual: number): void {
  errors.absolute += Math.abs(actual - forecast);
  errors.demand += actual;
  if (actual === 0) return;
  errors.relative += Math.abs(actual - forecast) / actual;
  errors.times += 1;
}

function noErrors(): Errors {
  return { absolute: 0, relative: 0, demand: 0, times: 0 };
}

function added(all: readonly Errors[]): Errors {
  return all.reduce((a, b) => ({
    absolute: a.absolute + b.absolute,
    relative: a.relative + b.relative,
    demand: a.demand + b.demand,
    times: a.times + b.times,
  }));
}

function compared(what: string, ours: Errors, last: Errors): Figure[] {
  return [lower(`WAPE, ${what}`, wape(ours), wape(last), 4), lower(`MAPE, ${what}`, mape(ours), mape(last), 4)];
}

/** Summed error over summed demand. */
function wape({ absolute, demand }: Errors): number {
  return absolute / demand;
}

/** Mean of the errors relative to the demand of their time. */
function mape({ relative, times }: Errors): number {
  return relative / times;
}

function lower(what: string, ours: number, last: number, digits: number): Figure {
  return {
    what,
    measured: ours.toFixed(digits),
    limit: `last value: ${last.toFixed(digits)}`,
    holds: ours <= last,
  };
}

function sum(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0);
}
