/** Seeded graphs of any size for the bucketizer's bench, three kinds that ask for different things: communities with
 *  popular users (after Lancichinetti, Fortunato, Radicchi 2008, simplified), hubs without communities (R-MAT,
 *  Chakrabarti et al. 2004), and nearness alone (random geometric). Users are numbered in no order that helps. */

import { type Random, seededRandom, shuffle } from '../../config/random.ts';

/** Leaves of all benched trees hold about as many. */
export const usersPerLeaf = 40;

/** Names of files in the data's `graphs`. */
export const realGraphs = [
  'facebook_combined',
  'deezer_ro',
  'deezer_hu',
  'fbpages_newsites',
  'soc-Epinions1',
  'fb100_Cornell5',
];

export const generatedGraphs: Readonly<Record<string, () => TieList>> = {
  'made-communities': () => communityGraph(40_000, 6, 0.4, 1),
  'made-rmat': () => rmatGraph(15, 8, 1),
  'made-geometric': () => geometricGraph(40_000, 10, 1),
};

/** Pairs of user indices; repeated ones and ties to oneself occur. */
export interface TieList {
  readonly users: number;
  readonly ties: Uint32Array;
}

const communitySize = { min: 20, max: 1000 };
const popularityMean = 3.78; // of the power law from 1 to 40
const sharePopular = 0.5; // of ties that leave a community, to users by their popularity

/** `tiesPerUser`: mean ties listed by a user, who has about twice as many. `outside`: share of ties that leave the
 *  community; half of those stay in a district of about 30 communities. */
export function communityGraph(users: number, tiesPerUser: number, outside: number, seed: number): TieList {
  const random = seededRandom(seed);
  const name = shuffle(
    Uint32Array.from({ length: users }, (_, v) => v),
    random,
  );
  const end = new Uint32Array(users); // [user before naming] = end of the community, which starts where the last one ended
  const start = new Uint32Array(users);
  for (let from = 0; from < users; ) {
    const to = Math.min(users, from + Math.floor(powerLaw(communitySize.min, communitySize.max, random)));
    start.fill(from, from, to);
    end.fill(to, from, to);
    from = to;
  }
  const district = 30 * 60;
  const ties = new Uint32Array(2 * Math.floor(users * tiesPerUser));
  let v = 0;
  let left = 0;
  for (let i = 0; i < ties.length; i += 2) {
    while (left === 0) {
      v = (v + 1) % users;
      left = Math.floor((tiesPerUser / popularityMean) * powerLaw(1, 40, random) + random());
    }
    left--;
    let friend: number;
    if (random() >= outside) friend = start[v]! + below(end[v]! - start[v]!, random);
    else if (random() >= 0.5) friend = Math.min(users - 1, v - (v % district) + below(district, random));
    else if (random() < sharePopular) friend = i === 0 ? 0 : ties[below(i, random)]!;
    else friend = below(users, random);
    ties[i] = v;
    ties[i + 1] = friend;
  }
  for (let i = 0; i < ties.length; i++) ties[i] = name[ties[i]!]!;
  return { users, ties };
}

export function rmatGraph(scale: number, tiesPerUser: number, seed: number): TieList {
  const random = seededRandom(seed);
  const users = 1 << scale;
  const ties = new Uint32Array(2 * users * tiesPerUser);
  for (let i = 0; i < ties.length; i += 2) {
    let [a, b] = [0, 0];
    for (let bit = 0; bit < scale; bit++) {
      const chance = random();
      a = 2 * a + (chance >= 0.76 ? 1 : 0);
      b = 2 * b + ((chance >= 0.57 && chance < 0.76) || chance >= 0.95 ? 1 : 0);
    }
    ties[i] = a;
    ties[i + 1] = b;
  }
  return { users, ties };
}

/** Points in the unit square; ties between those nearer than gives `friends` in the mean. */
export function geometricGraph(users: number, friends: number, seed: number): TieList {
  const random = seededRandom(seed);
  const reach = Math.sqrt(friends / (Math.PI * users));
  const cells = Math.floor(1 / reach);
  const x = Float64Array.from({ length: users }, () => random());
  const y = Float64Array.from({ length: users }, () => random());
  const cellOf = (v: number): number => Math.floor(y[v]! * cells) * cells + Math.floor(x[v]! * cells);
  const members: number[][] = Array.from({ length: cells * cells }, () => []);
  for (let v = 0; v < users; v++) members[cellOf(v)]!.push(v);
  const ties: number[] = [];
  for (let v = 0; v < users; v++) {
    const [column, row] = [cellOf(v) % cells, Math.floor(cellOf(v) / cells)];
    for (let r = Math.max(0, row - 1); r <= Math.min(cells - 1, row + 1); r++) {
      for (let c = Math.max(0, column - 1); c <= Math.min(cells - 1, column + 1); c++) {
        for (const u of members[r * cells + c]!) {
          if (u > v && (x[u]! - x[v]!) * (x[u]! - x[v]!) + (y[u]! - y[v]!) * (y[u]! - y[v]!) < reach * reach)
            ties.push(v, u);
        }
      }
    }
  }
  return { users, ties: Uint32Array.from(ties) };
}

function below(n: number, random: Random): number {
  return Math.floor(random() * n);
}

/** Density falling with the square of the value. */
function powerLaw(min: number, max: number, random: Random): number {
  return 1 / (1 / min - random() * (1 / min - 1 / max));
}
