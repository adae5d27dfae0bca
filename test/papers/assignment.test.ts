/** What the SOSP'19 paper says of stable segment assignment, sentence by sentence. Figures the paper gives for production
 *  are checked on random tables. */

import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { policySchema } from '../../config/policy.ts';
import { seededRandom } from '../../config/random.ts';
import { openCeilings } from '../../pipeline/table/ceilings.ts';
import { measureChurn } from '../../pipeline/table/churn.ts';
import { compileBody, makeFallbacks } from '../../pipeline/table/compile.ts';
import { assignFriends } from '../../pipeline/table/friends-assignment.ts';
import { servedFractions } from '../../pipeline/table/routing-table.ts';
import { assignSegments, preferences } from '../../pipeline/table/segment-assignment.ts';
import { drift, type Instance, makeInstance, weightKinds } from '../pipeline/table/instance.ts';

const web = policySchema.parse({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'web' } });

/** The paper's size: 2^14 buckets in 2^7 segments, 8 datacenters. */
function production(seed: number, edges = 1): Instance {
  const weights = weightKinds[seed % 2]!;
  return makeInstance(seed, { edges, datacenters: 8, height: 14, weights, segmentLevel: 7, tiesPerBucket: 1 });
}

test('section 3.2: the routing table maps every bucket of every edge to one datacenter', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const instance = production(seed, 2);
    const table = assignSegments(instance);
    expect(table.byEdge).toHaveLength(2);
    for (const assignment of table.byEdge) {
      expect(assignment).toHaveLength(16_384);
      expect(Math.max(...assignment), `seed ${seed}`).toBeLessThan(8);
    }
  }
});

test('Algorithm 1, line 6: a datacenter prefers segments in a random order seeded by its name, so others do not matter', () => {
  const order = preferences('ashburn', 128);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 128 }, (_, s) => s));
  expect(preferences('ashburn', 128)).toEqual(order);
  expect(preferences('dublin', 128)).not.toEqual(order);
  // Taking away a datacenter that wants nothing changes no bucket.
  const instance = production(3);
  const wanted = Float64Array.from([0.3, 0.1, 0, 0.2, 0.1, 0.1, 0.1, 0.1]);
  const keep = [0, 1, 3, 4, 5, 6, 7];
  const names = (table: ReturnType<typeof assignSegments>): string[] =>
    Array.from(table.byEdge[0]!, (d) => table.targets[d]!.datacenter);
  const without = {
    ...instance,
    targets: keep.map((d) => instance.targets[d]!),
    wanted: Float64Array.from(keep, (d) => wanted[d]!),
  };
  expect(names(assignSegments(without))).toEqual(names(assignSegments({ ...instance, wanted })));
});

test('Algorithm 1, lines 10-14: a datacenter takes buckets until it has its weight', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const instance = production(seed);
    const served = servedFractions(assignSegments(instance), instance.weights);
    const heaviest = Math.max(...instance.weights.byEdge[0]!.weight);
    served.forEach((share, d) => {
      expect(Math.abs(share - instance.wanted[d]!), `seed ${seed} datacenter ${d}`).toBeLessThanOrEqual(8 * heaviest);
    });
  }
});

test('Algorithm 1 with equal buckets: each datacenter overshoots by less than a bucket, so the last lacks at most seven', () => {
  for (let seed = 2; seed <= 12; seed += 2) {
    const instance = production(seed);
    const served = servedFractions(assignSegments(instance), instance.weights);
    served.forEach((share, d) => {
      const over = (share - instance.wanted[d]!) * 16_384;
      expect(over, `seed ${seed} datacenter ${d}`).toBeLessThan(1);
      expect(over, `seed ${seed} datacenter ${d}`).toBeGreaterThan(-7);
    });
  }
});

test('section 4: about 95 % of the 128 segments are routed together', () => {
  let whole = 0;
  let worst = 1;
  for (let seed = 1; seed <= 12; seed++) {
    const share = segmentsWhole(assignSegments(production(seed)).byEdge[0]!, 128);
    whole += share / 12;
    worst = Math.min(worst, share);
  }
  expect(whole).toBeGreaterThanOrEqual(0.94);
  expect(worst).toBeGreaterThanOrEqual(0.92);
});

test('section 3.2: with segments at the leaf level it is plain Social Hash, which keeps no segment together', () => {
  const instance = production(4);
  const table = assignSegments({ ...instance, segmentLevel: 14 });
  expect(segmentsWhole(table.byEdge[0]!, 128)).toBeLessThan(0.1);
  expect(assignSegments({ ...instance, segmentLevel: 20 }).byEdge).toEqual(table.byEdge);
});

test('section 3.2: it is stable: small changes of the fractions move few users, on average at most twice the least', () => {
  let moved = 0;
  let least = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const instance = production(seed);
    const previous = assignSegments(instance);
    const next = assignSegments({ ...instance, wanted: drift(instance.random, instance.wanted, 8, 0.04) });
    const churn = measureChurn({ ...instance, previous, next });
    moved += churn.elective;
    least += churn.minimum;
  }
  expect(moved).toBeLessThanOrEqual(2 * least);
});

test('beyond the paper: starting from the last table moves no more than the least', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const instance = production(seed);
    const previous = assignFriends(instance).table;
    const wanted = drift(instance.random, instance.wanted, 8, 0.04);
    const churn = measureChurn({ ...instance, previous, next: assignFriends({ ...instance, wanted, previous }).table });
    expect(churn.elective, `seed ${seed}`).toBeLessThanOrEqual(churn.minimum + 1e-9);
  }
});

test('section 3.2: the table has 2^14 buckets in 2^7 segments by default', () => {
  expect(web.spec.buckets.segmentLevel).toBe(7);
});

test('section 3.2: the mapping shipped to an edge is about 15 KB; ours at most, at random over eight datacenters', () => {
  const instance = production(1);
  const random = seededRandom(1);
  const byEdge = [Uint8Array.from({ length: 16_384 }, () => Math.floor(random() * 8))];
  const table = { ...assignSegments(instance), byEdge };
  const [fallback] = makeFallbacks(instance.topology, 14, openCeilings(1, 8));
  expect(gzipSync(compileBody(table, 0, fallback!).body).length).toBeLessThanOrEqual(15_000);
});

function segmentsWhole(assignment: Uint8Array, segmentCount: number): number {
  const size = assignment.length / segmentCount;
  let whole = 0;
  for (let s = 0; s < segmentCount; s++) {
    const segment = assignment.subarray(s * size, (s + 1) * size);
    if (segment.every((d) => d === segment[0])) whole += 1;
  }
  return whole / segmentCount;
}
