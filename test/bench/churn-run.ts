/** One way to make tables, over a series of fractions: what it moves, whom it keeps together, how exact it is. Every way is
 *  judged by the same code on the same epochs. */

import type { BucketTree } from '../../bucketizer/tree.ts';
import type { World } from '../../config/world.ts';
import { ConnectionLocality, SegmentsWhole } from '../../pipeline/replay/locality.ts';
import { mean, quantile } from '../../pipeline/replay/quantile.ts';
import type { BucketWeights } from '../../pipeline/table/bucket-weights.ts';
import { measureChurn } from '../../pipeline/table/churn.ts';
import { type RoutingTable, servedFractions } from '../../pipeline/table/routing-table.ts';
import { HourlyStability } from '../papers/measures.ts';
import type { FractionSeries, SeriesEpoch } from './churn-series.ts';

/** A way to make tables. `segmentLevel` null: it knows no segments. */
export interface Way {
  readonly name: string;
  readonly tree: BucketTree;
  readonly weights: BucketWeights;
  readonly segmentLevel: number | null;
  next(epoch: SeriesEpoch, previous: RoutingTable | null): Delivered;
}

export interface Delivered {
  readonly table: RoutingTable;
  readonly deferredEdges: readonly number[];
}

export interface ChurnRun {
  readonly way: string;
  readonly churn: number; // mean an epoch
  readonly minimum: number;
  readonly toMinimum: number; // of the week
  readonly worstOver: number; // most that an epoch moved beyond `1.5 x minimum`
  readonly worstOverLeast: number; // most that an epoch moved beyond 1.005 x minimum
  readonly electiveMax: number;
  readonly segmentsWhole: { readonly mean: number; readonly p5: number } | null;
  readonly locality: {
    readonly mean: number;
    readonly p5: number;
    readonly firstDay: number;
    readonly lastDay: number;
  };
  readonly hiddenLocality: number | null; // of ties the algorithm did not see
  readonly servedToWanted: number; // half L1, demand-weighted mean; edges with deferred churn left out
  readonly oneDatacenter: HourShare; // of hours without events and waiting moves, as the next two
  readonly twoDatacenters: HourShare;
  readonly oneDatacenterBound: HourShare; // of the same hours, by the fractions alone
  readonly hours: { readonly calm: number; readonly waiting: number }; // of those without events, counted above or not
  readonly msAnEpoch: number;
}

export interface HourShare {
  readonly mean: number;
  readonly worst: number;
}

/** Users who could have seen one datacenter in an hour if buckets were infinitely fine: over edges the sum over datacenters
 *  of the least fraction of the hour. */
function boundIn(series: FractionSeries, isCalm: (startMs: number) => boolean): HourShare {
  const width = series.epochs[0]!.wanted.length / series.epochs[0]!.edgeLoad.length;
  const shares: number[] = [];
  for (const hour of hoursOf(series, isCalm)) {
    const edges = hour[0]!.edgeLoad.length;
    const load = new Float64Array(edges);
    for (const { demandRps } of hour) for (let e = 0; e < edges; e++) load[e]! += demandRps[e]!;
    const total = load.reduce((a, b) => a + b, 0);
    let stays = 0;
    for (let i = 0; i < edges * width; i++) {
      let least = 1;
      for (const { wanted } of hour) least = Math.min(least, wanted[i]!);
      stays += (least * load[Math.floor(i / width)]!) / total;
    }
    shares.push(stays);
  }
  return hourShare(shares);
}

export function runWay(
  way: Way,
  world: World,
  series: FractionSeries,
  judged: { readonly seen: World; readonly hidden: World | null },
): ChurnRun {
  const { tree, weights } = way;
  const locality = new ConnectionLocality(judged.seen, tree);
  const hiddenLocality = judged.hidden && new ConnectionLocality(judged.hidden, tree);
  const segments = way.segmentLevel === null ? null : new SegmentsWhole(weights, tree.height, way.segmentLevel);
  const stability = new HourlyStability(weights);
  const kept: { churn: number; minimum: number; elective: number; whole: number; together: number; off: number }[] = [];
  const hidden: number[] = [];
  const waiting = new Set<number>(); // hours, by their start, in which users move who had to wait for `churnMax`
  let isBehind = false;
  let previous: RoutingTable | null = null;
  let together = 0;
  let hiddenTogether = 0;
  let cpuMs = 0;
  for (const epoch of series.epochs) {
    const startMs = cpuNowMs();
    const { table, deferredEdges } = way.next(epoch, previous);
    cpuMs += cpuNowMs() - startMs;
    const { edgeLoad, ceilings, demandRps } = epoch;
    const moved = previous
      ? measureChurn({ previous, next: table, weights, edgeLoad, ceilings })
      : { forced: 0, elective: 0, minimum: 0 };
    if (table !== previous) {
      together = locality.of(table);
      hiddenTogether = hiddenLocality?.of(table) ?? 0;
    }
    hidden.push(hiddenTogether);
    if (isBehind || deferredEdges.length > 0) waiting.add(hourOf(epoch.timeMs));
    isBehind = deferredEdges.length > 0;
    stability.add(epoch.timeMs, table, demandRps);
    kept.push({
      churn: moved.forced + moved.elective,
      minimum: moved.minimum,
      elective: moved.elective,
      whole: segments?.of(table, demandRps) ?? 1,
      together,
      off: misplaced(table, weights, epoch, deferredEdges),
    });
    previous = table;
  }
  const of = (pick: (one: (typeof kept)[number]) => number): number[] => kept.map(pick);
  const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);
  const day = 288;
  const isCalm = (startMs: number): boolean => !waiting.has(startMs) && !hasEvent(world, startMs);
  const eventless = stability.hours().filter(({ startMs }) => !hasEvent(world, startMs));
  const hours = eventless.filter(({ startMs }) => isCalm(startMs));
  const [churn, minimum] = [mean(of((one) => one.churn)), mean(of((one) => one.minimum))];
  return {
    way: way.name,
    churn,
    minimum,
    toMinimum: minimum > 0 ? churn / minimum : 1,
    worstOver: most(of((one) => one.churn - 1.5 * one.minimum)),
    worstOverLeast: most(of((one) => one.churn - 1.005 * one.minimum)),
    electiveMax: most(of((one) => one.elective)),
    segmentsWhole: segments && {
      mean: mean(of((one) => one.whole)),
      p5: quantile(
        of((one) => one.whole),
        0.05,
      ),
    },
    locality: {
      mean: mean(of((one) => one.together)),
      p5: quantile(
        of((one) => one.together),
        0.05,
      ),
      firstDay: mean(of((one) => one.together).slice(0, day)),
      lastDay: mean(of((one) => one.together).slice(-day)),
    },
    hiddenLocality: hiddenLocality && mean(hidden),
    servedToWanted: mean(of((one) => one.off)),
    oneDatacenter: hourShare(hours.map(({ shares }) => shares[0]!)),
    twoDatacenters: hourShare(hours.map(({ shares }) => shares[1]!)),
    oneDatacenterBound: boundIn(series, isCalm),
    hours: { calm: hours.length, waiting: eventless.length - hours.length },
    msAnEpoch: cpuMs / kept.length,
  };
}

function misplaced(
  table: RoutingTable,
  weights: BucketWeights,
  { wanted, edgeLoad }: SeriesEpoch,
  deferredEdges: readonly number[],
): number {
  const served = servedFractions(table, weights);
  const width = table.targets.length;
  let sum = 0;
  for (let e = 0; e < edgeLoad.length; e++) {
    if (deferredEdges.includes(e)) continue;
    for (let i = e * width; i < (e + 1) * width; i++) sum += edgeLoad[e]! * Math.abs(served[i]! - wanted[i]!);
  }
  return sum / 2;
}

const hourMs = 3_600_000;

function hourOf(timeMs: number): number {
  return Math.floor(timeMs / hourMs) * hourMs;
}

function hoursOf(
  { epochs }: FractionSeries,
  isCalm: (startMs: number) => boolean,
): readonly (readonly SeriesEpoch[])[] {
  const byHour = new Map<number, SeriesEpoch[]>();
  for (const epoch of epochs) {
    const startMs = hourOf(epoch.timeMs);
    if (!isCalm(startMs)) continue;
    const hour = byHour.get(startMs) ?? [];
    hour.push(epoch);
    byHour.set(startMs, hour);
  }
  return [...byHour.values()];
}

/** An hour in which a datacenter goes or comes is not the routing's to calm. */
function hasEvent({ events }: World, startMs: number): boolean {
  return events.some(({ timeMs }) => timeMs >= startMs && timeMs < startMs + hourMs);
}

function hourShare(shares: readonly number[]): HourShare {
  return { mean: mean(shares), worst: shares.reduce((a, b) => Math.min(a, b), 1) };
}

function cpuNowMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
