/** How long a want has to be wanted before it moves anybody. */

import { describe, expect, test } from 'vitest';
import { judgeWant, type Want, type Wanted } from '../../runtime/patience.ts';
import { topologyOf } from '../scene.ts';

const topology = topologyOf(2, [100, 100]);

/** One edge of two, half of all demand, that wants `share` of all demand from d0 to d1. */
function wanting(share: number): Wanted {
  const ppm = Math.round(2e6 * share);
  return { topology, changePpm: Int32Array.of(-ppm, ppm, 0, 0), share: Float64Array.of(0.5, 0.5) };
}

/** What each of the epochs acts on, as a share of all demand; null: it waits. */
function judged(wants: readonly number[], minShift = 0.01): (number | null)[] {
  let past: readonly Want[] = [];
  return wants.map((share) => {
    const wanted = wanting(share);
    const judgement = judgeWant(wanted, past, minShift);
    past = judgement.kind === 'wait' ? judgement.wants : [];
    if (judgement.kind === 'wait') return null;
    return (judgement.agreedPpm ?? wanted.changePpm)[1]! / 2e6;
  });
}

describe('minShift of .01', () => {
  test('a want four times as large acts at once and whole', () => expect(judged([0.04])).toEqual([0.04]));
  test('one as large acts in the part that two epochs in a row want', () =>
    expect(judged([0.012, 0.03])).toEqual([null, 0.012]));
  test('a smaller one acts after three epochs, in the part that all want', () =>
    expect(judged([0.005, 0.002, 0.004, 0.003])).toEqual([null, null, null, 0.002]));
  test('what turns round before it is large enough moves nobody', () =>
    expect(judged([0.03, -0.03, 0.02, -0.03, 0.03, -0.02])).toEqual(new Array(6).fill(null)));
  test('an epoch that wants nothing there breaks the row', () =>
    expect(judged([0.005, 0.005, 0, 0.005, 0.005, 0.005])).toEqual(new Array(6).fill(null)));
});

test('minShift 0 has no patience', () => expect(judged([0.0001, -0.0001], 0)).toEqual([0.0001, -0.0001]));

test('what arrives at an edge without anything leaving it is no want', () => {
  const wanted = { topology, changePpm: Int32Array.of(0, 500_000, 0, 0), share: Float64Array.of(0.5, 0.5) };
  expect(judgeWant(wanted, [], 0.01).kind).toBe('wait');
});

test('a want is remembered by name: places that come and go do not exchange theirs', () => {
  const first = judgeWant(wanting(0.012), [], 0.01);
  if (first.kind !== 'wait') throw new Error('expected to wait');
  const before = topologyOf(2, [100, 100]);
  const edges = [{ ...before.edges[0]!, id: 'a' as (typeof before.edges)[0]['id'] }, ...before.edges];
  const grown = { ...before, edges, rttMs: new Float64Array(6) };
  const share = new Float64Array(3).fill(1 / 3);
  const elsewhere = { topology: grown, changePpm: Int32Array.of(-50_000, 50_000, 0, 0, 0, 0), share };
  const same = { topology: grown, changePpm: Int32Array.of(0, 0, -50_000, 50_000, 0, 0), share };
  expect(judgeWant(elsewhere, first.wants, 0.01).kind).toBe('wait');
  expect(judgeWant(same, first.wants, 0.005)).toMatchObject({ kind: 'act' });
});
