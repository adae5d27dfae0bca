import { expect, test } from 'vitest';
import { servedFractions } from '../../../pipeline/table/routing-table.ts';
import { assignSegments, preferences, type SegmentInputs } from '../../../pipeline/table/segment-assignment.ts';
import { checkTable, makeInstance, weightKinds } from './instance.ts';

/** Algorithm 1 as the paper writes it: all tuples, sorted; leftovers to the open datacenter nearest its weight. */
function plainAlgorithm1(inputs: SegmentInputs, e: number): Uint8Array {
  const bucketCount = 2 ** inputs.tree.height;
  const segmentCount = 2 ** Math.min(inputs.segmentLevel, inputs.tree.height);
  const width = inputs.targets.length;
  const bucketWeight = new Array<number>(bucketCount).fill(0);
  inputs.weights.byEdge[e]!.bucket.forEach((b, i) => {
    bucketWeight[b] = inputs.weights.byEdge[e]!.weight[i]!;
  });
  const left = [...inputs.wanted.subarray(e * width, (e + 1) * width)];
  const scale = left.reduce((a, b) => a + b, 0) / bucketWeight.reduce((a, b) => a + b, 0);
  const tuples: (readonly [number, number, number])[] = [];
  inputs.targets.forEach(({ datacenter }, d) => {
    const preference = preferences(datacenter, segmentCount);
    for (let b = 0; b < bucketCount; b++) {
      tuples.push([preference[Math.floor((b * segmentCount) / bucketCount)]!, d, b]);
    }
  });
  tuples.sort((x, y) => x[0] - y[0] || x[1] - y[1] || x[2] - y[2]);
  const assigned = new Map<number, number>();
  for (const [, d, b] of tuples) {
    if (assigned.has(b) || !(left[d]! > 0)) continue;
    assigned.set(b, d);
    left[d]! -= bucketWeight[b]! * scale;
  }
  let best = -1;
  for (let d = 0; d < width; d++) {
    if (inputs.wanted[e * width + d]! > 0 && (best < 0 || left[d]! > left[best]!)) best = d;
  }
  return Uint8Array.from({ length: bucketCount }, (_, b) => assigned.get(b) ?? best);
}

test('gives the same table as the plain algorithm, on every kind of weights', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const inputs = makeInstance(seed, {
      edges: 1 + (seed % 3),
      datacenters: 1 + (seed % 5),
      height: seed % 8,
      weights: weightKinds[seed % 4]!,
      segmentLevel: seed % 10,
    });
    const table = assignSegments(inputs);
    expect(checkTable(table, inputs), `seed ${seed}`).toEqual([]);
    inputs.edges.forEach((_, e) => {
      expect(table.byEdge[e], `seed ${seed} edge ${e}`).toEqual(plainAlgorithm1(inputs, e));
    });
  }
});

test('every served fraction is within one heaviest bucket of the wanted one for each datacenter', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const inputs = makeInstance(seed, { edges: 2, datacenters: 6, height: 9, weights: weightKinds[seed % 4]! });
    const served = servedFractions(assignSegments(inputs), inputs.weights);
    served.forEach((share, i) => {
      const heaviest = Math.max(...inputs.weights.byEdge[Math.floor(i / 6)]!.weight);
      expect(Math.abs(share - inputs.wanted[i]!), `seed ${seed} place ${i}`).toBeLessThanOrEqual(6 * heaviest);
    });
  }
});
