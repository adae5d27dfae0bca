/** Taiji's evaluation (SOSP'19, section 4) on the real week, each figure beside the paper's claim. `npm run bench -- paper`;
 *  exit 3 where one is missed. The paper's fleet is another one (eight datacenters, a backbone of its own, users by the
 *  hundred million), so round trips are comparable in their order, not in their ms. */

import type { Policy } from '../../config/policy.ts';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { freshState, planEpoch } from '../../pipeline/epoch.ts';
import { SegmentsWhole } from '../../pipeline/replay/locality.ts';
import { mean, quantile } from '../../pipeline/replay/quantile.ts';
import { type ReplayedEpoch, replayWorld } from '../../pipeline/replay/world-replay.ts';
import { normalState } from '../../runtime/inputs.ts';
import { utilizationOf } from '../../runtime/judge.ts';
import {
  closestFractions,
  divergences,
  HourlyStability,
  RoundTrips,
  randomFractions,
  sinceEventMs,
} from '../papers/measures.ts';
import { type Figure, told } from './figure.ts';
import { contextOf, policyOf, realWeek, wholeSpan } from './real-week.ts';

const settlingMs = 90 * 60_000;
const minuteMs = 60_000;
const percentiles = [0.5, 0.75, 0.9, 0.95] as const;

/** Null where the data is absent. */
export async function paperFigures(dataDir: string): Promise<Figure[] | null> {
  const world = realWeek(dataDir);
  if (!world) return null;
  const context = await contextOf(world);
  const balance = await weekUnder(world, policyOf(), context, false);
  const fixed = await fixedFractions(world, context);
  return [
    ...divergenceFigures(
      'planned on its own demand (--oracle)',
      await weekUnder(world, policyOf(), context, true),
      0.03,
      0.8,
    ),
    ...divergenceFigures('planned on the last demand', balance, 0.03, null),
    ...divergenceFigures(
      'planned on the forecast',
      await weekUnder(world, policyOf({ forecast: 'holt-winters' }), context, false),
      0.03,
      null,
    ),
    ...divergenceFigures(
      'sticky, sessions of 30 minutes, planned on its own demand (--oracle)',
      await weekUnder(world, policyOf({ traffic: { kind: 'sticky', sessionLifetime: '30m' } }), context, true),
      0.04,
      0.8,
    ),
    ...latencyFigures(world, balance, fixed),
    ...closestFirstFigures(
      world,
      balance,
      await weekUnder(world, policyOf({ objective: 'closest-first', utilizationMax: 0.9 }), context, false),
    ),
    ...restoreFigures(world, balance),
    ...stabilityFigures(balance),
    segmentFigure(balance),
  ];
}

/** What is kept of a week: the measures, not the tables. */
interface Week {
  readonly epochs: readonly KeptEpoch[];
  readonly hours: ReturnType<HourlyStability['hours']>;
}

type KeptEpoch = Pick<ReplayedEpoch, 'timeMs' | 'served' | 'states' | 'demandRps' | 'utilization'> & {
  readonly divergence: readonly number[];
  readonly calm: boolean; // away from events
  readonly segmentsWhole: number;
};

async function weekUnder(world: World, policy: Policy, context: EpochContext, oracle: boolean): Promise<Week> {
  const stability = new HourlyStability(context.weights);
  const segments = new SegmentsWhole(context.weights, context.tree.height, policy.spec.buckets.segmentLevel);
  const epochs: KeptEpoch[] = [];
  for await (const epoch of replayWorld(world, policy, context, wholeSpan(world, oracle))) {
    const { timeMs, served, states, demandRps, utilization, table } = epoch;
    if (!table) continue;
    stability.add(timeMs, table, demandRps);
    epochs.push({
      ...{ timeMs, served, states, demandRps, utilization },
      divergence: divergences(utilization, states),
      calm: sinceEventMs(world, timeMs) >= settlingMs,
      segmentsWhole: segments.of(table, demandRps),
    });
  }
  return { epochs, hours: stability.hours() };
}

/** Section 4.6. `wanted`: share of samples within `limit`; null: told, not promised. */
function divergenceFigures(how: string, { epochs }: Week, limit: number, wanted: number | null): Figure[] {
  const samples = epochs.filter(({ calm }) => calm).flatMap(({ divergence }) => divergence);
  const within = samples.filter((value) => value < limit).length / samples.length;
  const at = (share: number): string => `${(100 * quantile(samples, share)).toFixed(2)} %`;
  const measured = `${(100 * within).toFixed(1)} % of samples; p50 ${at(0.5)}, p80 ${at(0.8)}, p95 ${at(0.95)}`;
  const what = `utilization within ${100 * limit} % of the mean, ${how}`;
  if (wanted === null) return [told(what, measured)];
  return [{ what, measured, limit: `paper: ${100 * wanted} %`, holds: within >= wanted }];
}

/** As in 2015: one mapping for all time, here the balance of the week's mean demand with everything in service. */
async function fixedFractions({ topology, demand }: World, context: EpochContext): Promise<Float64Array> {
  const edges = topology.edges.length;
  const steps = demand.timesMs.length;
  const demandRps = Float64Array.from(topology.edges, (_, e) => {
    let sum = 0;
    for (let t = 0; t < steps; t++) sum += demand.rps[t * edges + e]!;
    return sum / steps;
  });
  const states = topology.datacenters.map(() => normalState);
  const inputs = { epoch: 0, startMs: 0, topology, policy: policyOf(), demandRps, states, intents: [] };
  return (await planEpoch({ ...inputs, previous: null, carried: freshState }, context)).served;
}

/** Section 4.1, all users of the week, and those of Asia and the Pacific at their busiest hour. */
function latencyFigures({ topology }: World, { epochs }: Week, fixed: Float64Array): Figure[] {
  const regions = new Map<string, number[]>();
  topology.edges.forEach(({ region }, e) => {
    if (region !== undefined) regions.set(region, [...(regions.get(region) ?? []), e]);
  });
  const eastern = topology.edges.flatMap(({ lon }, e) => (lon > 60 ? [e] : []));
  const rpsOf = (epoch: KeptEpoch): number => eastern.reduce((sum, e) => sum + epoch.demandRps[e]!, 0);
  const peak = epochs.reduce((a, b) => (rpsOf(b) > rpsOf(a) ? b : a));
  const busiest = epochs.filter(({ timeMs }) => Math.abs(timeMs - peak.timeMs) <= 30 * minuteMs);
  const highest = (fractions: (epoch: KeptEpoch) => Float64Array): string =>
    epochs
      .reduce((most, epoch) => Math.max(most, ...utilizationOf(topology, epoch.demandRps, fractions(epoch))), 0)
      .toFixed(2);
  return [
    ...latencyOf('all users', epochs, topology, null, fixed, null),
    ...[...regions].flatMap(([name, edges]) => latencyOf(name, epochs, topology, edges, fixed, null)),
    ...(regions.size === 0 ? [told('round trips by region', 'the edges of this world have no region')] : []),
    ...latencyOf(
      'edges east of 60 E at their busiest hour',
      busiest,
      topology,
      eastern,
      fixed,
      [14.39, 19.56, 33.95, 54.37],
    ),
    told(
      'highest utilization of the week',
      `ours ${highest(({ served }) => served)}, closest ${highest(({ states }) => closestFractions(topology, states))}, fixed mapping ${highest(() => fixed)}, random ${highest(({ states }) => randomFractions(topology, states))}`,
    ),
  ];
}

/** `paperMs`: how far the paper's percentiles lie above the bound. */
function latencyOf(
  who: string,
  epochs: readonly KeptEpoch[],
  topology: World['topology'],
  edges: readonly number[] | null,
  fixed: Float64Array,
  paperMs: readonly number[] | null,
): Figure[] {
  const trips = (fractions: (epoch: KeptEpoch) => Float64Array): RoundTrips => {
    const sum = new RoundTrips(topology, edges === null ? undefined : (e) => edges.includes(e));
    for (const epoch of epochs) sum.add(epoch.demandRps, fractions(epoch));
    return sum;
  };
  const ours = trips(({ served }) => served);
  const closest = trips(({ states }) => closestFractions(topology, states));
  const random = trips(({ states }) => randomFractions(topology, states));
  const mapped = trips(() => fixed);
  return percentiles.map((share, i) => {
    const [is, bound, chance, static_] = [ours, closest, random, mapped].map((of) => of.quantileMs(share));
    const paper = paperMs ? `; above the bound by ${(is! - bound!).toFixed(0)}, paper ${paperMs[i]}` : '';
    return {
      what: `round trip of ${who}, p${100 * share}`,
      measured: `${is!.toFixed(0)} ms (closest ${bound!.toFixed(0)}, fixed mapping ${static_!.toFixed(0)}, random ${chance!.toFixed(0)})${paper}`,
      limit: 'paper: below random and fixed mapping',
      holds: is! <= chance! && is! <= static_!,
    };
  });
}

/** Figure 16, FB Lite: what balance costs against closest-first under a threshold, hour by hour. */
function closestFirstFigures({ topology }: World, balance: Week, closest: Week): Figure[] {
  const byHour = ({ epochs }: Week): Map<number, RoundTrips> => {
    const hours = new Map<number, RoundTrips>();
    for (const { timeMs, demandRps, served } of epochs) {
      const hour = Math.floor(timeMs / (60 * minuteMs));
      hours.set(hour, (hours.get(hour) ?? new RoundTrips(topology)).add(demandRps, served));
    }
    return hours;
  };
  const [ours, theirs] = [byHour(balance), byHour(closest)];
  const rises = [...ours].flatMap(([hour, trips]) => {
    const other = theirs.get(hour);
    return other ? [trips.meanMs() - other.meanMs()] : [];
  });
  const under = rises.filter((ms) => ms < 20).length / rises.length;
  const spreads = ({ epochs }: Week): number[] =>
    epochs.map(({ utilization, states }) => {
      const open = [...utilization].filter((_, d) => states[d]!.keep === 1);
      return Math.max(...open) - Math.min(...open);
    });
  const [spread, otherSpread] = [mean(spreads(balance)), mean(spreads(closest))];
  return [
    {
      what: 'hours in which balance costs under 20 ms of mean round trip over closest-first (threshold 0.9)',
      measured: `${(100 * under).toFixed(0)} %; rise p50 ${quantile(rises, 0.5).toFixed(1)} ms, p95 ${quantile(rises, 0.95).toFixed(1)}, highest ${quantile(rises, 1).toFixed(1)}`,
      limit: 'paper: most of the day',
      holds: under > 0.5,
    },
    {
      what: 'utilization, highest less lowest, mean of the week',
      measured: `balance ${spread.toFixed(3)}, closest-first ${otherSpread.toFixed(3)}`,
      limit: 'paper: balance evens it out',
      holds: spread < otherSpread,
    },
  ];
}

/** Figure 13: after a drain the paper's fleet closes a gap of some 0.24 of utilization. Ours comes back from nothing at all,
 *  which is a longer way: told apart. */
function restoreFigures({ topology, events }: World, { epochs }: Week): Figure[] {
  return events
    .filter(({ state }) => state === 'normal')
    .flatMap(({ datacenter, timeMs }) => {
      const d = topology.datacenters.findIndex(({ id }) => id === datacenter);
      const after = epochs.filter((epoch) => epoch.timeMs >= timeMs && epoch.timeMs < timeMs + 360 * minuteMs);
      const minutesUntil = (holds: (epoch: KeptEpoch) => boolean): number => {
        const at = after.findIndex(holds);
        return at < 0 ? Number.POSITIVE_INFINITY : ((at + 1) * (epochs[1]!.timeMs - epochs[0]!.timeMs)) / minuteMs;
      };
      const share = minutesUntil(({ utilization }) => utilization[d]! >= 0.24);
      const whole = minutesUntil(({ utilization }) => utilization[d]! >= 0.95 * mean([...utilization]));
      return [
        {
          what: `${datacenter} returns: 0.24 of utilization regained after`,
          measured: `${share} minutes`,
          limit: 'paper: 30 minutes for such a gap; damped, at most 45',
          holds: share <= 45,
        },
        told(`${datacenter} returns from nothing: within 5 % of the mean after`, `${whole} minutes`),
      ];
    });
}

/** Section 4.4. */
function stabilityFigures({ hours }: Week): Figure[] {
  const claims = [
    ['one datacenter', 0, 0.85, 'paper: over 85 %'],
    ['at most two', 1, 0.98, 'paper: 98 %'],
    ['at most three', 2, 0.999, 'paper: almost all'],
  ] as const;
  return claims.map(([what, index, least, limit]) => {
    const shares = hours.map(({ shares }) => shares[index]!);
    const meanShare = mean(shares);
    const worst = Math.min(...shares);
    return {
      what: `users who see ${what} in an hour, mean of all hours, events among them`,
      measured: `${(100 * meanShare).toFixed(2)} %; worst hour ${(100 * worst).toFixed(1)} %, ${shares.filter((share) => share < least).length} of ${shares.length} hours below`,
      limit,
      holds: meanShare >= least,
    };
  });
}

/** Section 4.3. */
function segmentFigure({ epochs }: Week): Figure {
  const whole = epochs.filter(({ segmentsWhole }) => segmentsWhole >= 0.95).length / epochs.length;
  return {
    what: 'epochs in which at least 95 % of the 128 segments are whole',
    measured: `${(100 * whole).toFixed(1)} %; share of segments p20 ${quantile(
      epochs.map(({ segmentsWhole }) => segmentsWhole),
      0.2,
    ).toFixed(4)}`,
    limit: 'paper: 80 % of the time',
    holds: whole >= 0.8,
  };
}
