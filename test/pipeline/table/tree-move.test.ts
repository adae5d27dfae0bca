import { describe, expect, test } from 'vitest';
import { fullCut, isOnNextTree } from '../../../bucketizer/tree-share.ts';
import { seededRandom } from '../../../config/random.ts';
import type { WorldUsers } from '../../../config/world.ts';
import { bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { makeTargets, type RoutingTable } from '../../../pipeline/table/routing-table.ts';
import {
  begunBack,
  routingOf,
  stepOf,
  stepped,
  type TreeCourse,
  towards,
} from '../../../pipeline/table/tree-course.ts';
import { TreeMove } from '../../../pipeline/table/tree-move.ts';
import { topologyOf, treeOf } from '../../scene.ts';

const topology = topologyOf(3, [10, 10, 10]);
const from = treeOf(300, 5, 1);
const to = treeOf(300, 5, 2); // other ties: nearly everybody moves
const edgeLoad = Float64Array.of(0.5, 0.3, 0.2);

function usersOf(seed: number, edges = 3): WorldUsers {
  const random = seededRandom(seed);
  return {
    ids: Array.from({ length: 300 }, (_, u) => `u${u}`),
    homeEdge: Uint32Array.from({ length: 300 }, () => Math.floor(random() * edges)),
    weight: Float64Array.from({ length: 300 }, () => 1 + random()),
  };
}

function tableOf(seed: number): RoutingTable {
  const random = seededRandom(seed);
  const byEdge = topology.edges.map(() => Uint8Array.from({ length: 32 }, () => Math.floor(random() * 3)));
  return {
    treeVersion: from.version,
    height: 5,
    targets: makeTargets(topology),
    edges: topology.edges.map(({ id }) => id),
    byEdge,
  };
}

/** User by user: the share of demand that is served elsewhere once `high` is the cut and not `low`. */
function plainChurn(move: TreeMove, users: WorldUsers, table: RoutingTable, low: number, high: number): number {
  const at = new Float64Array(3);
  users.homeEdge.forEach((e, u) => {
    at[e]! += users.weight[u]!;
  });
  return users.ids.reduce((sum, id, u) => {
    const e = users.homeEdge[u]!;
    const row = table.byEdge[e]!;
    const moved = row[move.bucketAt(id, low)] !== row[move.bucketAt(id, high)];
    return sum + (moved ? (edgeLoad[e]! * users.weight[u]!) / at[e]! : 0);
  }, 0);
}

describe('users who pass from one tree to another', () => {
  test('are as many a step as the churn allows, counted user by user, and all of them in the end', () => {
    for (let seed = 0; seed < 10; seed++) {
      const users = usersOf(seed);
      const move = new TreeMove(topology, from, to, users);
      let cut = 0;
      let steps = 0;
      let passed = 0;
      while (cut < fullCut) {
        const table = tableOf(100 * seed + steps);
        const step = move.step(cut, 'on', table, edgeLoad, 0.05);
        expect(step.cut, `seed ${seed}`).toBeGreaterThan(cut);
        expect(step.churn).toBeLessThanOrEqual(0.05);
        expect(step.churn).toBeCloseTo(plainChurn(move, users, table, cut, step.cut), 5);
        passed += step.users;
        cut = step.cut;
        steps += 1;
      }
      expect(steps, 'two thirds of the demand cannot move at once').toBeGreaterThan(10);
      expect(passed).toBe(move.movedUsers(fullCut));
      const differ = users.ids.filter((id) => move.bucketAt(id, 0) !== move.bucketAt(id, fullCut));
      expect(passed).toBe(differ.length);
    }
  });

  test('come back the way they went', () => {
    const users = usersOf(3);
    const move = new TreeMove(topology, from, to, users);
    const table = tableOf(3);
    const on = move.step(0, 'on', table, edgeLoad, 0.1);
    const back = move.step(on.cut, 'back', table, edgeLoad, 0.05);
    expect(back.cut).toBeGreaterThan(0);
    expect(back.cut).toBeLessThan(on.cut);
    expect(back.churn).toBeLessThanOrEqual(0.05);
    expect(back.churn).toBeCloseTo(plainChurn(move, users, table, back.cut, on.cut), 5);
    expect(move.step(back.cut, 'back', table, edgeLoad, 1).cut).toBe(0);
  });

  test('weigh in the bucket of the tree they go by, and at both ends as the trees alone say', () => {
    const users = usersOf(5);
    const move = new TreeMove(topology, from, to, users);
    expect(move.weightsAt(0)).toEqual(bucketWeights(topology, from, users));
    expect(move.weightsAt(fullCut)).toEqual(bucketWeights(topology, to, users));
    const cut = fullCut / 3;
    const sums = topology.edges.map(() => new Float64Array(32));
    users.ids.forEach((id, u) => {
      const tree = isOnNextTree(id, cut) ? to : from;
      sums[users.homeEdge[u]!]![tree.bucketOfUser[tree.users.indexOf(id)]!]! += users.weight[u]!;
    });
    const half = move.weightsAt(cut);
    sums.forEach((dense, e) => {
      const total = dense.reduce((a, b) => a + b, 0);
      const { bucket, weight } = half.byEdge[e]!;
      expect(bucket.length).toBe(dense.filter((sum) => sum > 0).length);
      bucket.forEach((b, i) => {
        expect(weight[i]).toBeCloseTo(dense[b]! / total, 6);
      });
    });
  });

  test('count at an edge nobody is known to live at as the tree has them', () => {
    const users = usersOf(7, 2); // nobody at the third
    const move = new TreeMove(topology, from, to, users);
    const table = tableOf(1);
    const alone = Float64Array.of(0, 0, 1);
    const differ = from.users.reduce((sum, id) => {
      const row = table.byEdge[2]!;
      return sum + (row[move.bucketAt(id, 0)] === row[move.bucketAt(id, fullCut)] ? 0 : 1 / 300);
    }, 0);
    expect(move.churnBetween(0, fullCut, table, alone)).toBeCloseTo(differ, 6);
    expect(move.movedUsers(fullCut)).toBeLessThanOrEqual(300);
  });
});

describe('a course between trees', () => {
  const places = { topology, users: usersOf(11) };

  test('settles on the new tree and goes back to the old one', () => {
    let course: TreeCourse = towards(from, to, places);
    let epochs = 0;
    for (; course.kind === 'moving'; epochs++)
      course = stepped(course, stepOf(course, tableOf(epochs), edgeLoad, 0.2)!);
    expect(course.tree.version).toBe(to.version);
    expect(course.before).toBe(from.version);
    expect(epochs).toBeGreaterThan(4);
    expect(routingOf(course, places).weights).toEqual(bucketWeights(topology, to, places.users));

    course = begunBack(new TreeMove(topology, from, to, places.users));
    for (; course.kind === 'moving'; epochs--)
      course = stepped(course, stepOf(course, tableOf(epochs), edgeLoad, 0.2)!);
    expect(course.tree.version).toBe(from.version);
  });

  test('takes half of an epoch’s churn at most', () => {
    const course = towards(from, to, places);
    expect(stepOf(course, tableOf(1), edgeLoad, 0.2)!.churn).toBeLessThanOrEqual(0.1);
  });
});
