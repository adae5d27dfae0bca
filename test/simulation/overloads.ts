/** Does any table lift a datacenter over its limit while another could take the load? Counted bucket by bucket from the
 *  tables alone, with no help from what planned them; and intents at random to try it with. */

import { type Intent, intentSchema, isInForce } from '../../config/intent.ts';
import { type Random, seededRandom } from '../../config/random.ts';
import type { Topology } from '../../config/topology.ts';
import type { World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { type ReplayedEpoch, type ReplayOptions, replayWorld } from '../../pipeline/replay/world-replay.ts';
import type { BucketWeights } from '../../pipeline/table/bucket-weights.ts';
import type { RoutingTable } from '../../pipeline/table/routing-table.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { policyOf } from '../scene.ts';

/** `count` of them over the world's time, of every kind, priority and scope; forced, so that no check stands before them. */
export function randomIntents({ topology, demand }: World, count: number, seed: number): readonly Intent[] {
  const random = seededRandom(seed);
  const [fromMs, toMs] = [demand.timesMs[0]!, demand.timesMs.at(-1)!];
  const timeAt = (ms: number): string => new Date(Math.round(ms / 60_000) * 60_000).toISOString().replace('.000Z', 'Z');
  return Array.from({ length: count }, (_, n): Intent => {
    const sinceMs = fromMs + random() * (toMs - fromMs);
    const lastsMs = (0.5 + 11.5 * random() * random()) * 3_600_000;
    const common = {
      id: `random-${n}`,
      author: 'test',
      reason: 'random',
      force: true,
      priority: pick(random, ['failure', 'drill', 'manual', 'manual', 'taiji']),
      since: timeAt(sinceMs),
      until: timeAt(sinceMs + lastsMs),
    };
    const edge = pick(random, topology.edges).id;
    const [one, other] = twoOf(random, topology);
    switch (pick(random, ['drain', 'steps', 'pair', 'shift', 'shifts', 'override', 'freeze', 'edge', 'datacenter'])) {
      case 'drain':
        return intentSchema.parse({ ...common, kind: 'drain', datacenter: one, keep: pick(random, [0, 0, 0.5]) });
      case 'steps': {
        const steps = [0.7, 0.3, 0, 0.5].map((keep, k) => [timeAt(sinceMs + (k * lastsMs) / 4), keep]);
        return intentSchema.parse({ ...common, kind: 'drain', datacenter: one, schedule: steps });
      }
      case 'pair':
        return intentSchema.parse({ ...common, kind: 'drain', datacenter: one, edge });
      case 'shift':
        return intentSchema.parse({ ...common, kind: 'shift', edge, from: one, to: other, fraction: random() });
      case 'shifts':
        return intentSchema.parse({ ...common, kind: 'shift', from: one, to: other, fraction: 0.5 * random() });
      case 'override':
        return intentSchema.parse({ ...common, kind: 'override', edge, datacenter: one, fraction: random() });
      case 'edge':
        return intentSchema.parse({ ...common, kind: 'freeze', edge });
      case 'datacenter':
        return intentSchema.parse({ ...common, kind: 'freeze', datacenter: one });
      default:
        return intentSchema.parse({ ...common, kind: 'freeze' });
    }
  });
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

function twoOf(random: Random, { datacenters }: Topology): readonly [string, string] {
  const first = Math.floor(random() * datacenters.length);
  const second = (first + 1 + Math.floor(random() * (datacenters.length - 1))) % datacenters.length;
  return [datacenters[first]!.id, datacenters[second]!.id];
}

export interface Overloads {
  readonly lifted: readonly string[]; // sentences; none: the promise held
  readonly epochs: number;
  readonly tables: number; // that differ from the one before
  readonly waits: number; // intents and epochs in which one waited
  readonly highest: number; // utilization of any table on the demand it was planned on
}

/** A week of the world with the intents, each table held against the one before on the demand it was planned on. */
export async function overloadsIn(
  world: World,
  context: EpochContext,
  intents: readonly Intent[],
  span: Pick<ReplayOptions, 'fromMs' | 'toMs'>,
): Promise<Overloads> {
  const lifted: string[] = [];
  let [epochs, tables, waits, highest] = [0, 0, 0, 0];
  let before: RoutingTable | null = null;
  for await (const epoch of replayWorld(world, policyOf(), context, { ...span, oracle: false, intents })) {
    epochs += 1;
    waits += epoch.plan.carried.intents?.waiting.length ?? 0;
    const { table } = epoch;
    if (!table || table === before) continue;
    tables += 1;
    const after = loadsOf(table, epoch.plannedRps, context.weights);
    const was = before && loadsOf(before, epoch.plannedRps, context.weights);
    highest = Math.max(highest, ...after.map((rps, d) => rps / world.topology.datacenters[d]!.capacityRps));
    const { timeMs, states, plannedRps } = epoch;
    const { outages } = epoch.plan.carried;
    const { topology } = world;
    lifted.push(
      ...liftedBy({ timeMs, states, plannedRps, outages, after, was, intents, topology, weights: context.weights }),
    );
    before = table;
  }
  return { lifted, epochs, tables, waits, highest };
}

/** [d] rps, bucket by bucket. */
function loadsOf(table: RoutingTable, demandRps: Float64Array, { byEdge }: BucketWeights): Float64Array {
  const loads = new Float64Array(table.targets.length);
  for (const [e, { bucket, weight }] of byEdge.entries()) {
    for (let cell = 0; cell < bucket.length; cell++) {
      loads[table.byEdge[e]![bucket[cell]!]!]! += weight[cell]! * demandRps[e]!;
    }
  }
  return loads;
}

/** More than this is not the grain of whole buckets. */
const much = 0.01;

/** `after`, `was`: [d] rps under the new table and the one before. */
export function liftedBy(of: {
  readonly timeMs: number;
  readonly states: readonly DatacenterState[];
  readonly plannedRps: Float64Array;
  readonly outages: ReplayedEpoch['plan']['carried']['outages'];
  readonly after: Float64Array;
  readonly was: Float64Array | null;
  readonly intents: readonly Intent[];
  readonly topology: Topology;
  readonly weights: BucketWeights;
}): readonly string[] {
  const { timeMs, states, plannedRps, outages, after, was, intents, weights } = of;
  const { datacenters } = of.topology;
  const heaviest = Math.max(
    ...weights.byEdge.map(({ weight }, e) => plannedRps[e]! * weight.reduce((a, b) => Math.max(a, b), 0)),
  );
  const isHeldDown = (id: string): boolean =>
    outages.some((one) => one.datacenter === id && timeMs - one.lastOutMs <= 3_600_000);
  return datacenters.flatMap(({ id, capacityRps }, d) => {
    const overRps = after[d]! - capacityRps * (1 + much) - heaviest;
    if (overRps <= 0 || (was && after[d]! <= was[d]! * (1 + 1e-9))) return [];
    // One that fails, is held down or has any drain about it may be barred; of all others, any room would have been room.
    const spare = datacenters.findIndex(
      (other, o) =>
        o !== d &&
        states[o]!.keep === 1 &&
        !isHeldDown(other.id) &&
        !intents.some((one) => one.kind === 'drain' && one.datacenter === other.id && isInForce(one, timeMs)) &&
        after[o]! < other.capacityRps * (1 - much) - heaviest,
    );
    if (spare < 0) return [];
    const share = (after[spare]! / datacenters[spare]!.capacityRps).toFixed(3);
    const time = new Date(timeMs).toISOString();
    return [`${time}: ${id} at ${(after[d]! / capacityRps).toFixed(3)} while ${datacenters[spare]!.id} is at ${share}`];
  });
}
