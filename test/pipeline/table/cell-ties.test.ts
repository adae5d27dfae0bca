import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { bucketOfUser, bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { cellTies } from '../../../pipeline/table/cell-ties.ts';
import { topologyOf, treeOf } from '../../scene.ts';

test('ties between cells are those of the users who live there, each counted from both ends, none inside a cell', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const topology = topologyOf(3, [1000, 1000]);
    const tree = treeOf(60, 4, seed);
    const users = {
      ids: tree.users,
      homeEdge: Uint32Array.from(tree.users, () => Math.floor(3 * random())),
      weight: new Float64Array(tree.users.length).fill(1),
    };
    const friends = Uint32Array.from({ length: 300 }, () => Math.floor(random() * tree.users.length));
    const weights = bucketWeights(topology, tree, users);
    const found = cellTies({ users, friends }, tree, weights);
    const cells = weights.byEdge.flatMap(({ bucket }, e) => Array.from(bucket, (b) => `${e}/${b}`));
    const cellOf = (user: number): number =>
      cells.indexOf(`${users.homeEdge[user]}/${bucketOfUser(tree, users.ids[user]!)}`);
    const plain = cells.map(() => new Map<number, number>());
    for (let k = 0; k < friends.length; k += 2) {
      const [a, b] = [cellOf(friends[k]!), cellOf(friends[k + 1]!)];
      if (a === b) continue;
      plain[a]!.set(b, (plain[a]!.get(b) ?? 0) + 1);
      plain[b]!.set(a, (plain[b]!.get(a) ?? 0) + 1);
    }
    const rows = cells.map((_, n) =>
      Array.from(
        { length: found.rowStart[n + 1]! - found.rowStart[n]! },
        (_, k) => [found.neighbour[found.rowStart[n]! + k], found.weight[found.rowStart[n]! + k]] as const,
      ),
    );
    expect(rows, `seed ${seed}`).toEqual(plain.map((row) => [...row].sort((x, y) => x[0] - y[0])));
  }
});
