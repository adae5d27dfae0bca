import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import type { World } from '../../../config/world.ts';
import { ConnectionLocality, SegmentsWhole, TiesCanMeet } from '../../../pipeline/replay/locality.ts';
import { bucketOfUser, bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { makeTargets, type RoutingTable } from '../../../pipeline/table/routing-table.ts';
import { matrixOf, topologyOf, treeOf } from '../../scene.ts';

const topology = topologyOf(3, [10, 10, 10]);
const tree = treeOf(60, 4, 1);

function randomWorld(seed: number): World {
  const random = seededRandom(seed);
  return {
    topology,
    demand: { timesMs: Float64Array.of(0), rps: Float64Array.of(1, 2, 3) },
    events: [],
    users: {
      ids: Array.from({ length: 60 }, (_, u) => `u${u}`),
      homeEdge: Uint32Array.from({ length: 60 }, () => Math.floor(random() * 3)),
      weight: new Float64Array(60).fill(1),
    },
    friends: Uint32Array.from({ length: 200 }, () => Math.floor(random() * 60)),
  };
}

function randomTable(seed: number, previous?: RoutingTable): RoutingTable {
  const random = seededRandom(seed);
  const byEdge = topology.edges.map((_, e) =>
    previous && random() < 0.5 ? previous.byEdge[e]! : Uint8Array.from({ length: 16 }, () => Math.floor(random() * 3)),
  );
  const edges = topology.edges.map(({ id }) => id);
  return { treeVersion: tree.version, height: 4, targets: makeTargets(topology), edges, byEdge };
}

test('ties whose users meet are counted as one by one, table after table', () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = randomWorld(seed);
    const locality = new ConnectionLocality(world, tree);
    let table = randomTable(seed);
    for (let epoch = 0; epoch < 5; epoch++) {
      const at = (user: number): number => table.byEdge[world.users.homeEdge[user]!]![bucketOfUser(tree, `u${user}`)]!;
      let together = 0;
      for (let i = 0; i < 200; i += 2) if (at(world.friends[i]!) === at(world.friends[i + 1]!)) together += 1;
      expect(locality.of(table), `seed ${seed}, epoch ${epoch}`).toBe(together / 100);
      table = randomTable(seed * 100 + epoch, table);
    }
  }
});

test('ties that can meet are counted as one by one', () => {
  for (let seed = 0; seed < 20; seed++) {
    const world = randomWorld(seed);
    const random = seededRandom(`served ${seed}`);
    const served = matrixOf(
      topology.edges.map(() => {
        const row = Array.from({ length: 3 }, () => random());
        return row.map((share) => share / row.reduce((a, b) => a + b));
      }),
    );
    let canMeet = 0;
    for (let i = 0; i < 200; i += 2) {
      const [a, b] = [world.users.homeEdge[world.friends[i]!]!, world.users.homeEdge[world.friends[i + 1]!]!];
      for (let d = 0; d < 3; d++) canMeet += Math.min(served[3 * a + d]!, served[3 * b + d]!) / 100;
    }
    expect(new TiesCanMeet(world).of(served, 3), `seed ${seed}`).toBeCloseTo(canMeet, 12);
  }
  expect(new TiesCanMeet({ ...randomWorld(1), friends: new Uint32Array(0) }).of(new Float64Array(9), 3)).toBe(1);
});

test('segments with demand that are whole are counted as one by one, weighted by demand', () => {
  for (let seed = 0; seed < 20; seed++) {
    const weights = bucketWeights(topology, tree, randomWorld(seed).users);
    const table = randomTable(seed);
    const shares = topology.edges.map((_, e) => {
      const seen = new Map<number, Set<number>>();
      for (const bucket of weights.byEdge[e]!.bucket) {
        const segment = bucket >> 2;
        seen.set(segment, (seen.get(segment) ?? new Set()).add(table.byEdge[e]![bucket]!));
      }
      return [...seen.values()].filter((targets) => targets.size === 1).length / seen.size;
    });
    const expected = (1 * shares[0]! + 2 * shares[1]! + 3 * shares[2]!) / 6;
    const found = new SegmentsWhole(weights, 4, 2).of(table, Float64Array.of(1, 2, 3));
    expect(found, `seed ${seed}`).toBeCloseTo(expected, 12);
  }
});
