import { describe, expect, test } from 'vitest';
import { type Reason, type Solves, whyNothing } from '../../runtime/explain.ts';
import { freshState } from '../../runtime/guards.ts';
import { type DatacenterState, normalState, type RuntimeInputs } from '../../runtime/inputs.ts';
import { type SolveStep, solveFractions } from '../../runtime/solve.ts';
import { certifiedHere, inputsOf, matrixOf, policyOf, topologyOf } from '../scene.ts';

const solve = await certifiedHere('highs');

async function solvesOf(inputs: RuntimeInputs): Promise<Solves & { readonly solved: Float64Array | null }> {
  const steps: SolveStep[] = [];
  const decision = await solveFractions(inputs, freshState, solve, (step) => steps.push(step));
  const of = (kind: SolveStep['kind']): SolveStep | null => steps.findLast((step) => step.kind === kind) ?? null;
  return { want: of('want'), guarded: of('guarded'), solved: decision.kind === 'held' ? null : decision.solved };
}

/** Why edge `e` sends nothing to datacenter `d`. */
async function why(inputs: RuntimeInputs, e: number, d: number, standsBecause: string | null = null): Promise<Reason> {
  return whyNothing(inputs, await solvesOf(inputs), standsBecause, e, d);
}

const linear = { objective: 'closest-first', utilizationMax: 0.8 };
/** Both edges are nearest to d0, e0 by far; d2 is an ocean away. */
const near = topologyOf(2, [100, 100, 100], (e, d) => [10, e === 0 ? 90 : 30, 200][d]!);

describe('one word', () => {
  test('at-capacity: nearer than what is used, and full', async () => {
    const inputs = inputsOf(near, [80, 60], { policy: policyOf(linear) });
    expect([...(await solvesOf(inputs)).solved!]).toEqual([1, 0, 0, 0, 1, 0]);
    const reason = await why(inputs, 1, 0);
    expect(reason).toMatchObject({ datacenter: 'd0', reason: 'at-capacity', closerMs: null });
    expect(reason.detail).toBe('full at utilization 0.800; with room it would be used');
  });

  test('too-far: dearer than what is used, with room too; it says how much closer it would have to be', async () => {
    const inputs = inputsOf(near, [60, 10], { policy: policyOf(linear) });
    const reason = await why(inputs, 0, 2);
    expect(reason).toMatchObject({ datacenter: 'd2', reason: 'too-far' });
    expect(reason.closerMs).toBeCloseTo(190, 1); // it would have to be as near as d0, which has room
    expect(reason.detail).toBe('would have to be 190.0 ms closer');
  });

  test.each([linear, { objective: 'balance' }])('too-far: that much closer, it is used (%j)', async (spec) => {
    const far = topologyOf(2, [100, 100, 100], (e, d) => [20, 40, e === 0 ? 120 : 20][d]!);
    const at = (rttMs: number) =>
      inputsOf({ ...far, rttMs: far.rttMs.map((ms, i) => (i === 2 ? rttMs : ms)) }, [60, 60], {
        policy: policyOf(spec),
      });
    const { closerMs, reason } = await why(at(120), 0, 2);
    expect(reason).toBe('too-far');
    expect((await solvesOf(at(120 - closerMs! + 0.5))).solved![2]).toBe(0);
    expect((await solvesOf(at(120 - closerMs! - 0.5))).solved![2]).toBeGreaterThan(0);
  });

  test('too-far: friends who are elsewhere count; that much closer, it is used in spite of them', async () => {
    const far = topologyOf(2, [100, 100, 100], (e, d) => [20, 40, e === 0 ? 120 : 20][d]!);
    const policy = policyOf({
      objective: 'closest-first',
      localityPriceMs: 20,
      guards: { minShift: 0, churnMax: 1, onloadMax: 1 },
    });
    const served = matrixOf([
      [1, 0, 0],
      [1, 0, 0],
    ]);
    const edgeTies = Float64Array.of(0.3, 0.2, 0.2, 0.3);
    const at = (rttMs: number) => {
      const rtts = far.rttMs.map((ms, i) => (i === 2 ? rttMs : ms));
      return inputsOf({ ...far, rttMs: rtts }, [60, 20], { policy, served, edgeTies });
    };
    const { closerMs, reason } = await why(at(120), 0, 2);
    expect(reason).toBe('too-far');
    expect(closerMs).toBeGreaterThan(101 + 5); // the way to d0, the price of a move, and some of the worth
    expect((await solvesOf(at(120 - closerMs! + 0.5))).solved![2]).toBe(0);
    expect((await solvesOf(at(120 - closerMs! - 0.5))).solved![2]).toBeGreaterThan(0);
  });

  test('too-far: beyond latencyMsMax', async () => {
    const inputs = inputsOf(near, [60, 10], { policy: policyOf({ latencyMsMax: 120 }) });
    const reason = await why(inputs, 0, 2);
    expect(reason).toMatchObject({ reason: 'too-far', closerMs: 80 });
    expect(reason.detail).toBe('beyond latencyMsMax 120 ms; would have to be 80.0 ms closer');
  });

  test('not-allowed: the policy, a capacity of 0, or pins that leave nothing', async () => {
    const allowed = policyOf({ allowed: [{ edge: 'e0', datacenters: ['d1'] }] });
    expect(await why(inputsOf(near, [10, 10], { policy: allowed }), 0, 0)).toMatchObject({
      reason: 'not-allowed',
      detail: 'the policy allows e0 elsewhere only',
    });
    const closed = topologyOf(2, [100, 0, 100]);
    expect(await why(inputsOf(closed, [10, 10]), 1, 1)).toMatchObject({
      reason: 'not-allowed',
      detail: 'its capacity is 0',
    });
    const pinned = policyOf({ ...linear, pins: [{ edge: 'e0', datacenter: 'd2', fraction: 1 }] });
    expect(await why(inputsOf(near, [10, 10], { policy: pinned }), 0, 0)).toMatchObject({
      reason: 'not-allowed',
      detail: 'pins or intents say where all of this edge goes',
    });
  });

  test('abnormal, draining, unhealthy, telemetry-missing, guard: what the state says of its cause', async () => {
    const words: [string, string][] = [
      ['abnormal', 'abnormal'],
      ['drain by ann: power work', 'draining'],
      ['unhealthy: errors', 'unhealthy'],
      ['telemetry missing', 'telemetry-missing'],
      ['held down after 3 outages within an hour', 'guard'],
    ];
    for (const [cause, word] of words) {
      const out: DatacenterState = { keep: 0, refill: false, cause, untilMs: 1_800_000 };
      const inputs = inputsOf(near, [10, 10], { states: [out, normalState, normalState] });
      expect(await why(inputs, 0, 0)).toMatchObject({
        reason: word,
        detail: `${cause === 'abnormal' ? '' : `${cause}; `}keeps nothing until 1970-01-01T00:30:00Z`,
      });
    }
  });

  test('unhealthy, telemetry-missing: it would keep its users, had it any, and gains none', async () => {
    const served = matrixOf([
      [0, 1, 0],
      [0, 1, 0],
    ]);
    for (const [cause, word] of [
      ['unhealthy by its service metrics', 'unhealthy'],
      ['telemetry-missing', 'telemetry-missing'],
    ] as const) {
      const sick: DatacenterState = { keep: 1, refill: false, cause, untilMs: null };
      const inputs = inputsOf(near, [10, 10], { served, states: [sick, normalState, normalState] });
      expect(await why(inputs, 0, 0)).toMatchObject({
        reason: word,
        detail: `${cause}; keeps what it has and gains nothing`,
      });
    }
  });

  test('guard: wanted without guards, and the one that puts it off is named', async () => {
    const served = matrixOf([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const churn = policyOf({ ...linear, guards: { churnMax: 0, onloadMax: 1 } });
    expect(await why(inputsOf(near, [10, 60], { policy: churn, served }), 1, 0)).toMatchObject({
      reason: 'guard',
      detail: '1.0000 is wanted; churnMax 0 put it off',
    });
    const onload = policyOf({ ...linear, guards: { churnMax: 1, onloadMax: 0 } });
    expect((await why(inputsOf(near, [10, 60], { policy: onload, served }), 1, 0)).detail).toBe(
      '1.0000 is wanted; onloadMax 0 put it off',
    );
  });

  test('guard: wanted, and the epoch moved nothing for a reason of its own', async () => {
    const served = matrixOf([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    const policy = policyOf({ ...linear, guards: { minShift: 0.9 } });
    expect(await why(inputsOf(near, [10, 60], { policy, served }), 1, 0, 'min-shift')).toMatchObject({
      reason: 'guard',
      detail: '1.0000 is wanted; min-shift',
    });
    const inputs = inputsOf(near, [10, 10]);
    expect(whyNothing(inputs, { want: null, guarded: null }, 'held: half of it failed', 0, 1)).toMatchObject({
      reason: 'guard',
      detail: 'held: half of it failed',
    });
  });
});

test('a state that keeps nothing is told before fullness, and what the policy forbids before both', async () => {
  const out: DatacenterState = { keep: 0, refill: false, cause: 'abnormal', untilMs: null };
  const policy = policyOf({ allowed: [{ edge: 'e0', datacenters: ['d1', 'd2'] }] });
  const inputs = inputsOf(near, [10, 10], { policy, states: [out, normalState, normalState] });
  expect((await why(inputs, 0, 0)).reason).toBe('not-allowed');
  expect((await why(inputs, 1, 0)).reason).toBe('abnormal');
});
