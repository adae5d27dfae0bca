import { describe, expect, test } from 'vitest';
import { compareIds } from '../../../config/ids.ts';
import type { Policy } from '../../../config/policy.ts';
import type { World } from '../../../config/world.ts';
import { type ReplayedEpoch, replayGroup } from '../../../pipeline/replay/world-replay.ts';
import { uniformBucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { engineHere, policyOf, topologyOf, treeOf } from '../../scene.ts';
import { intentOf } from '../intent-pairs.ts';

const stepMs = 300_000;
const tree = treeOf(400, 8, 1);

/** Four edges, three datacenters, demand that drifts; `events` as [step, datacenter, state]. */
function worldOf(
  demandAt: (t: number, e: number) => number,
  events: readonly (readonly [number, number, 'abnormal' | 'normal'])[] = [],
  steps = 24,
): World {
  const topology = topologyOf(4, [300, 300, 300]);
  const rps = Float64Array.from({ length: steps * 4 }, (_, i) => demandAt(Math.floor(i / 4), i % 4));
  return {
    topology,
    demand: { timesMs: Float64Array.from({ length: steps }, (_, t) => t * stepMs), rps },
    events: events
      .map(([t, d, state]) => ({ timeMs: t * stepMs, datacenter: topology.datacenters[d]!.id, state }))
      .sort((a, b) => a.timeMs - b.timeMs || compareIds(a.datacenter, b.datacenter)),
    users: { ids: [], homeEdge: new Uint32Array(0), weight: new Float64Array(0) },
    friends: new Uint32Array(0),
  };
}

async function replayed(
  services: readonly { readonly world: World; readonly policy: Policy }[],
): Promise<ReplayedEpoch[][]> {
  const context = { tree, weights: uniformBucketWeights(topologyOf(4, [1]), tree), solver: await engineHere('highs') };
  const epochs: ReplayedEpoch[][] = [];
  const options = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, oracle: true };
  const all = services.map((service) => ({ ...service, context }));
  for await (const epoch of replayGroup(all, options)) epochs.push([...epoch]);
  return epochs;
}

/** Of all demand, on datacenter `d`. */
function shareOn(d: number, { standing, demandRps }: ReplayedEpoch): number {
  const width = standing.length / demandRps.length;
  const total = demandRps.reduce((a, b) => a + b, 0);
  return demandRps.reduce((sum, rps, e) => sum + rps * standing[e * width + d]!, 0) / total;
}

const sticky = policyOf({ traffic: { kind: 'sticky', sessionLifetime: '20m' } });
const drift = (t: number, e: number): number => 80 + 20 * ((t + 3 * e) % 5);

describe('a sticky service', () => {
  test('loses all sessions of a datacenter that fails, and is back in balance hours after it returns', async () => {
    const epochs = await replayed([
      {
        policy: sticky,
        world: worldOf(
          drift,
          [
            [6, 0, 'abnormal'],
            [8, 0, 'normal'],
          ],
          60,
        ),
      },
    ]);
    expect(shareOn(0, epochs[5]![0]!)).toBeGreaterThan(0.25);
    expect(shareOn(0, epochs[6]![0]!)).toBe(0);
    expect(shareOn(0, epochs.at(-1)![0]!)).toBeGreaterThan(0.25);
  });

  test('its load is where tables of many epochs sent it, and still adds up to the demand', async () => {
    const epochs = await replayed([{ policy: sticky, world: worldOf(drift) }]);
    for (const [epoch] of epochs) {
      const load = epoch!.utilization.reduce((sum, share) => sum + share * 300, 0);
      expect(load).toBeCloseTo(
        epoch!.demandRps.reduce((a, b) => a + b, 0),
        6,
      );
    }
    const lagging = epochs.slice(1).filter(([epoch]) => epoch!.standing.some((share, i) => share !== epoch!.served[i]));
    expect(lagging.length).toBeGreaterThan(10);
  });

  test('lives and ends by chance, and by the same chance each time', async () => {
    const run = async (service: string) => {
      const policy = { ...sticky, metadata: { service } };
      return (await replayed([{ policy, world: worldOf(drift) }])).map(([epoch]) => [...epoch!.utilization]);
    };
    const first = await run('chat');
    expect(await run('chat')).toEqual(first);
    expect(await run('talk')).not.toEqual(first);
  });

  test('keeps within its limits: nobody over capacity, churn under its cap', async () => {
    for (const [epoch] of await replayed([{ policy: sticky, world: worldOf(drift, [[6, 1, 'abnormal']]) }])) {
      expect(Math.max(...epoch!.utilization)).toBeLessThan(1.01);
      expect(epoch!.plan.churn.elective).toBeLessThanOrEqual(0.05);
    }
  });
});

describe('services that share datacenters', () => {
  const of = (service: string, spec: Record<string, unknown> = {}) => ({ ...policyOf(spec), metadata: { service } });

  test('are balanced together: what one cannot move the other makes room for', async () => {
    const half = worldOf(() => 60);
    const pinned = of('web', {
      allowed: topologyOf(4, [1, 1, 1]).edges.map(({ id }) => ({ edge: id, datacenters: ['d0'] })),
    });
    const epochs = await replayed([
      { policy: pinned, world: half },
      { policy: of('chat'), world: half },
    ]);
    const [web, chat] = epochs.at(-1)!;
    expect(shareOn(0, web!)).toBeCloseTo(1, 9);
    expect(shareOn(0, chat!)).toBeLessThan(0.02);
    expect([...web!.utilization]).toEqual([...chat!.utilization]);
    expect(Math.abs(web!.utilization[0]! - 240 / 300)).toBeLessThan(0.01);
    expect(Math.abs(chat!.utilization[1]! - chat!.utilization[2]!)).toBeLessThan(0.02);
  });

  test('move only when they are due, unless a datacenter fails', async () => {
    const drifting = worldOf((t, e) => 80 + 30 * ((t * 2 + e) % 4), [[14, 2, 'abnormal']]);
    const epochs = await replayed([
      { policy: of('web'), world: drifting },
      { policy: of('chat', { epoch: '30m' }), world: drifting },
    ]);
    const moved = epochs.map(([, chat]) => chat!.plan.outcome === 'published');
    moved.forEach((has, t) => {
      if (t % 6 !== 0 && t !== 14) expect(has, `step ${t}`).toBe(false);
    });
    expect(moved[14]).toBe(true);
    expect(shareOn(2, epochs[14]![1]!)).toBe(0);
    expect(epochs[1]![1]!.plan.reason).toBe('not-due');
  });
});

test('unsteered demand follows the table and is no churn', async () => {
  const shift = (t: number, e: number): number => (t % 2 === e % 2 ? 150 : 60);
  const run = async (unsteered: number) => {
    const world = worldOf(shift);
    const edges = world.topology.edges.map((edge) => ({ ...edge, unsteered }));
    const policy = policyOf({ guards: { churnMax: 0.02, minShift: 0 } });
    return replayed([{ policy, world: { ...world, topology: { ...world.topology, edges } } }]);
  };
  const [none, half] = [await run(0), await run(0.5)];
  const most = (epochs: ReplayedEpoch[][]): number =>
    Math.max(...epochs.slice(1).map(([epoch]) => epoch!.plan.churn.elective));
  expect(most(none)).toBeLessThanOrEqual(0.02);
  expect(most(half)).toBeLessThanOrEqual(0.02);
  const travelled = (epochs: ReplayedEpoch[][]): number =>
    epochs.slice(1).reduce((sum, [epoch], t) => {
      const before = epochs[t]![0]!.served;
      return sum + epoch!.served.reduce((moved, share, i) => moved + Math.abs(share - before[i]!), 0);
    }, 0);
  expect(travelled(half)).toBeGreaterThan(1.3 * travelled(none));
});

test('intents are in force by their own times, for the service they name or for all', async () => {
  const context = { tree, weights: uniformBucketWeights(topologyOf(4, [1]), tree), solver: await engineHere('highs') };
  const drain = (id: string, service: Record<string, unknown>, since: string) =>
    intentOf({ kind: 'drain', id, datacenter: 'd0', since, until: '1970-01-01T01:00:00Z', ...service });
  const intents = [
    drain('ours', {}, '1970-01-01T00:30:00Z'),
    drain('theirs', { service: 'x' }, '1970-01-01T00:10:00Z'),
  ];
  const options = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, oracle: true, intents };
  const shares: number[] = [];
  const world = worldOf(() => 100);
  for await (const [epoch] of replayGroup([{ world, policy: policyOf(), context }], options))
    shares.push(shareOn(0, epoch!));
  for (const [epoch, share] of shares.entries()) {
    if (epoch >= 6 && epoch < 12) expect(share, `epoch ${epoch}`).toBe(0);
    // It comes back as fast as onloadMax and damping let it.
    if (epoch < 6 || epoch > 14) expect(share, `epoch ${epoch}`).toBeGreaterThan(0.09);
  }
});
