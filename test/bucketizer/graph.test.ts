import { expect, test } from 'vitest';
import { buildGraph, type TieRules } from '../../bucketizer/graph.ts';
import { entriesLarge } from '../../bucketizer/multilevel/memory.ts';
import { PackedWeights } from '../../bucketizer/multilevel/packed-weights.ts';
import { subgraph } from '../../bucketizer/multilevel/subgraph.ts';
import { seededRandom } from '../../config/random.ts';
import { below, communityTies, keepAll, randomGraph, tieTable } from './sample-graphs.ts';

const ones = (n: number): Float64Array => new Float64Array(n).fill(1);

/** The rules of `buildGraph`, said plainly. */
function plainTies(ties: Uint32Array, weights: Float64Array, users: number, rules: TieRules): Map<string, number> {
  const sum = new Map<string, number>();
  const given = new Set<string>();
  for (let i = 0; i < ties.length; i += 2) {
    const [a, b] = [ties[i]!, ties[i + 1]!];
    if (a === b) continue;
    given.add(`${a} ${b}`);
    for (const pair of [`${a} ${b}`, `${b} ${a}`]) sum.set(pair, (sum.get(pair) ?? 0) + weights[i / 2]!);
  }
  const flip = (pair: string): string => pair.split(' ').reverse().join(' ');
  for (const [pair, weight] of [...sum]) {
    if (rules.directed && !(given.has(pair) && given.has(flip(pair)))) sum.delete(pair);
    else if (weight < rules.weightMin) sum.delete(pair);
  }
  const degree = new Array<number>(users).fill(0);
  for (const pair of sum.keys()) degree[Number(pair.split(' ')[0])]! += 1;
  for (const pair of [...sum.keys()]) {
    if (pair.split(' ').some((v) => degree[Number(v)]! > rules.degreeMax)) sum.delete(pair);
  }
  return sum;
}

test('a graph holds the ties the rules keep, added up, whatever the rules', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const users = 2 + below(40, random);
    const ties = communityTies(users, 5, seed);
    const weights = Float64Array.from({ length: ties.length / 2 }, () => 1 + below(4, random));
    const rules = { directed: seed % 2 === 0, weightMin: seed % 3, degreeMax: seed % 5 === 0 ? 6 : Infinity };
    const { graph, counts } = buildGraph(ties, weights, ones(users), rules);
    expect(tieTable(graph), `seed ${seed}`).toEqual(plainTies(ties, weights, users, rules));
    const { given, self, repeated, oneWay, light, hubTies, kept } = counts;
    expect(self + repeated + oneWay + light + hubTies + kept, `seed ${seed}`).toBe(given);
    expect(kept).toBe(graph.neighbour.length / 2);
  }
});

test('ties of a large graph are in as many bytes as the heaviest sum of them takes, and sums are right', () => {
  const users = entriesLarge / 2 + 2; // a ring, every tie of which is there once, but for a few
  const oneFew = [
    { weights: [200, 56], bytes: 2, sum: 256 },
    { weights: [200, 55], bytes: 1, sum: 255 },
    { weights: [300, 65_236], bytes: 4, sum: 65_536 },
    { weights: [2 ** 31, 5], bytes: 8, sum: 2 ** 31 + 5 },
  ];
  for (const { weights, bytes, sum } of oneFew) {
    const ties = new Uint32Array(2 * (users + 1));
    for (let v = 0; v < users; v++) {
      ties[2 * v] = v;
      ties[2 * v + 1] = (v + 1) % users;
    }
    ties.set([1, 0], 2 * users); // the first one again, the other way
    const given = new Float64Array(users + 1).fill(1);
    given[0] = weights[0]!;
    given[users] = weights[1]!;
    const { graph, counts } = buildGraph(ties, given, ones(users), keepAll);
    expect(counts).toMatchObject({ repeated: 1, kept: users });
    expect(graph.tieWeight.BYTES_PER_ELEMENT, `${weights}`).toBe(bytes);
    expect([...graph.neighbour.subarray(0, 4)]).toEqual([1, users - 1, 0, 2]);
    expect([...graph.tieWeight.subarray(0, 4)]).toEqual([sum, 1, sum, 1]);
    let rest = 0;
    for (let k = 0; k < graph.tieWeight.length; k++) rest += graph.tieWeight[k]!;
    expect(rest).toBe(2 * (sum + users - 1));
  }
});

test('the order of the ties does not matter', () => {
  const ties = communityTies(30, 6, 7);
  const backwards = ties.slice().reverse();
  const rules = { ...keepAll, directed: true };
  expect(buildGraph(backwards, null, ones(30), rules)).toEqual(buildGraph(ties, null, ones(30), rules));
});

test('a self-tie is dropped and counted', () => {
  const { graph, counts } = buildGraph(Uint32Array.of(0, 0, 0, 1, 1, 1), null, ones(2), keepAll);
  expect(counts).toMatchObject({ given: 3, self: 2, kept: 1 });
  expect(tieTable(graph)).toEqual(
    new Map([
      ['0 1', 1],
      ['1 0', 1],
    ]),
  );
});

test('a hub loses its ties and stays a user', () => {
  const star = Uint32Array.of(0, 1, 0, 2, 0, 3, 2, 3);
  const { graph, counts } = buildGraph(star, null, ones(4), { ...keepAll, degreeMax: 2 });
  expect(graph.nodeCount).toBe(4);
  expect(counts).toMatchObject({ hubUsers: 1, hubTies: 3, kept: 1 });
});

test('a part of a graph has the ties among its nodes, and leaves the scratch clean', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const graph = randomGraph(40, seed);
    const random = seededRandom(seed);
    const nodes = Uint32Array.from({ length: 40 }, (_, v) => v).filter(() => random() < 0.5);
    const scratch = new Int32Array(40);
    const part = subgraph(graph, nodes, scratch);
    const whole = tieTable(graph);
    const expected = new Map<string, number>();
    for (const [i, a] of nodes.entries()) {
      for (const [j, b] of nodes.entries()) {
        const weight = whole.get(`${a} ${b}`);
        if (weight !== undefined) expected.set(`${i} ${j}`, weight);
      }
    }
    expect(tieTable(part), `seed ${seed}`).toEqual(expected);
    expect([...part.nodeWeight]).toEqual([...nodes].map((v) => graph.nodeWeight[v]));
    expect(scratch.every((x) => x === 0)).toBe(true);
  }
});

test('packed weights are what was put in, however large a later one is', () => {
  const packed = new PackedWeights(Int32Array.of(1), 6);
  for (const some of [[1, 255], [256], [3], [65_536, 2]]) packed.append(Int32Array.from([...some, 999]), some.length);
  expect([...packed.all()]).toEqual([1, 255, 256, 3, 65_536, 2]);
});
