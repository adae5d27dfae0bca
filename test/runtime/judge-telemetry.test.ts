/** Telemetry is judged before anything is planned on it: what is wrong is named, and nothing wrong becomes a number. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { datacenterId, edgeId } from '../../config/ids.ts';
import { makeTopology } from '../../config/topology.ts';
import {
  type Judged,
  judgeTelemetry,
  nothingRemembered,
  type TelemetryLimits,
  type TelemetryMemory,
} from '../../runtime/judge-telemetry.ts';
import { listFindings, type Readings, type Telemetry } from '../../runtime/telemetry.ts';
import { limits as usual } from '../telemetry-limits.ts';

const edges = ['fra', 'nyc', 'sin', 'tyo'].map((id) => ({ id: edgeId(id, 'test'), city: id, lat: 0, lon: 0 }));
const datacenters = ['dub', 'iad', 'osa'].map((id) => ({
  id: datacenterId(id, 'test'),
  lat: 0,
  lon: 0,
  capacityRps: 9,
}));
const rtts = edges.flatMap((edge) => datacenters.map(({ id }) => ({ edge: edge.id, datacenter: id, rttMs: 10 })));
const topology = makeTopology(edges, datacenters, rtts, 'test');
const limits: TelemetryLimits = { ...usual, filledShareMax: 0.3 };
const epochMs = 300_000;
const startMs = 1_800_000_000_000;
const third = new Float64Array(12).fill(1 / 3);

const said = (values: readonly (number | null)[], atMs: number): Readings =>
  values.map((value) => (value === null ? null : { value, observedAtMs: atMs }));

function telemetry(atMs: number, more: Partial<Telemetry> = {}): Telemetry {
  return {
    demandRps: said([100, 200, 300, 400], atMs),
    up: said([1, 1, 1], atMs),
    healthy: [null, null, null],
    rttMs: [],
    allocation: new Array(12).fill(null),
    sessions: [],
    notes: [],
    ...more,
  };
}

/** Epochs in a row, a period apart; each is told what `of` makes of its time. */
function run(of: readonly ((atMs: number) => Partial<Telemetry>)[], served = third): readonly Judged[] {
  let memory: TelemetryMemory = nothingRemembered(topology);
  return of.map((more, i) => {
    const nowMs = startMs + i * epochMs;
    const judged = judgeTelemetry(telemetry(nowMs, more(nowMs)), memory, { topology, limits, nowMs, served });
    memory = judged.memory;
    return judged;
  });
}

const good = () => ({});
const demandOf = ({ decision }: Judged): readonly number[] | string =>
  decision.kind === 'usable' ? [...decision.demandRps] : decision.reason;
const keepOf = ({ decision }: Judged): readonly number[] | string =>
  decision.kind === 'usable' ? decision.states.map(({ keep }) => keep) : decision.reason;
const demand =
  (...values: readonly (number | null)[]) =>
  (atMs: number) => ({ demandRps: said(values, atMs) });

describe('who gains nothing by choice', () => {
  const statesOf = ({ decision }: Judged) => (decision.kind === 'usable' ? decision.states : []);
  const words = (judged: Judged) => statesOf(judged).map(({ keep, refill, cause }) => `${keep} ${refill} ${cause}`);
  const sick = (atMs: number) => ({ healthy: said([0, 1, null], atMs) });
  const barred = '1 false unhealthy by its service metrics';

  test('a datacenter with bad service metrics keeps its users and gets no more, and well again it may', () => {
    const [ill, well] = run([sick, (atMs) => ({ healthy: said([1, 1, null], atMs) })]);
    expect(words(ill!)).toEqual([barred, '1 true ', '1 true ']);
    expect(words(well!)).toEqual(['1 true ', '1 true ', '1 true ']);
  });

  test('one that fell silent too, whether of its state or of the health that was watched', () => {
    const silence = (atMs: number) => ({
      up: said([1, null, 1], atMs),
      healthy: [...said([1], atMs - 700_000), null, ...said([1], atMs)],
    });
    const silent = '1 false telemetry-missing';
    expect(words(run([good, silence])[1]!)).toEqual([silent, silent, '1 true ']);
    const lost = run([(atMs) => ({ up: said([1, 1, 0], atMs) }), (atMs) => ({ up: said([1, 1, null], atMs) })])[1]!;
    expect(words(lost)).toEqual(['1 true ', '1 true ', '0 false telemetry-missing, abnormal when last heard of']);
  });

  test('silence about the health of all is the monitor’s, and bars nobody', () => {
    const blind = run([good, (atMs) => ({ healthy: said([1, 1, 1], atMs - 700_000) })])[1]!;
    expect(words(blind)).toEqual(['1 true ', '1 true ', '1 true ']);
    expect(listFindings(blind.findings)).toContain('healthy of datacenter "dub" is 700s old');
  });

  test('before there is a table nobody is barred', () => {
    const judged = judgeTelemetry(telemetry(startMs, sick(startMs)), nothingRemembered(topology), {
      ...{ topology, limits, nowMs: startMs, served: null },
    });
    expect(words(judged)).toEqual(['1 true ', '1 true ', '1 true ']);
    expect(judged.unhealthy).toEqual(['dub']);
  });
});

describe('demand', () => {
  test('good values pass as they are, zero among them', () => {
    const [first] = run([demand(0, 0, 3, 0.5)]);
    expect(demandOf(first!)).toEqual([0, 0, 3, 0.5]);
    expect(first!.findings).toEqual([]);
  });

  test('a missing value is the last good one, is named, and is never zero', () => {
    const [, second] = run([good, demand(null, 200, 300, 400)]);
    expect(demandOf(second!)).toEqual([100, 200, 300, 400]);
    expect(second!.decision).toMatchObject({ filled: [true, false, false, false] });
    expect(listFindings(second!.findings)).toBe('demandRps of edge "fra" is missing');
  });

  test.each([
    [-5, 'is -5, expected 0..9007199254740991 rps'],
    [Number.NaN, 'is NaN, expected 0..9007199254740991 rps'],
    [Number.POSITIVE_INFINITY, 'is Infinity, expected 0..9007199254740991 rps'],
  ])('%d is impossible, and filled', (value, words) => {
    const [, second] = run([good, demand(value, 200, 300, 400)]);
    expect(demandOf(second!)).toEqual([100, 200, 300, 400]);
    expect(listFindings(second!.findings)).toBe(`demandRps of edge "fra" ${words}`);
  });

  test('stale is older than the limit, in words with age and limit; the limit itself is not stale', () => {
    const aged = (ageMs: number) => (nowMs: number) => ({
      demandRps: [{ value: 100, observedAtMs: nowMs - ageMs }, ...said([200, 300, 400], nowMs)],
    });
    expect(run([good, aged(600_000)])[1]!.findings).toEqual([]);
    const stale = run([good, aged(601_000)])[1]!;
    expect(listFindings(stale.findings)).toBe('demandRps of edge "fra" is 601s old, expected at most 600s');
    expect(demandOf(stale)).toEqual([100, 200, 300, 400]);
  });

  test('what was observed in the future is not believed, but for a minute of clock skew', () => {
    const ahead = (aheadMs: number) => (nowMs: number) => ({
      demandRps: [{ value: 100, observedAtMs: nowMs + aheadMs }, ...said([200, 300, 400], nowMs)],
    });
    expect(run([good, ahead(60_000)])[1]!.findings).toEqual([]);
    expect(listFindings(run([good, ahead(120_000)])[1]!.findings)).toContain('120s in the future');
    expect(listFindings(run([good, ahead(Number.NaN)])[1]!.findings)).toContain('"fra" is missing');
  });

  test('a jump waits for its confirmation, up or down', () => {
    for (const value of [5000, 0]) {
      const [, second, third, fourth] = run([good, ...new Array(3).fill(demand(value, 200, 300, 400))]);
      expect(demandOf(second!)).toEqual([100, 200, 300, 400]);
      expect(listFindings(second!.findings)).toMatch(/"fra" jumped from 100 to (5000|0), over the factor of 10/);
      for (const later of [third!, fourth!]) {
        expect(demandOf(later)).toEqual([value, 200, 300, 400]);
        expect(later.findings).toEqual([]);
      }
    }
  });

  test('a jump told again without a new observation is no confirmation, and one taken back is forgotten', () => {
    const once = startMs + epochMs;
    const jump = () => ({ demandRps: [{ value: 5000, observedAtMs: once }, ...said([200, 300, 400], once)] });
    const [, , third] = run([good, jump, jump]);
    expect(demandOf(third!)).toEqual([100, 200, 300, 400]);
    const [, , , fourth] = run([good, demand(5000, 200, 300, 400), good, demand(5000, 200, 300, 400)]);
    expect(demandOf(fourth!)).toEqual([100, 200, 300, 400]);
  });

  test('a handful of requests beside the usual demand is no jump', () => {
    const [, second] = run([demand(0, 200, 300, 400), demand(5, 200, 300, 400)]);
    expect(second!.findings).toEqual([]);
  });

  test('too much of the demand missing holds the epoch, with names', () => {
    const [, second] = run([good, demand(100, 200, 300, null)]);
    expect(demandOf(second!)).toBe(
      '40 % of the demand has no usable value, at most 30 % is filled: demandRps of edge "tyo" is missing',
    );
    expect(typeof demandOf(run([good, demand(null, 200, null, 400)])[1]!)).toBe('string');
  });

  test('everything missing at once holds the epoch, whatever may be filled', () => {
    const memory = run([good])[0]!.memory;
    const context = { topology, limits: { ...limits, filledShareMax: 1 }, nowMs: startMs + epochMs, served: third };
    for (const more of [{ demandRps: [] }, { up: [] }]) {
      const { decision } = judgeTelemetry(telemetry(context.nowMs, more), memory, context);
      expect(decision).toMatchObject({
        kind: 'held',
        reason: expect.stringMatching(/^no (edge|datacenter) has a usable/),
      });
    }
  });

  test('an edge that was never heard of holds the first epochs: missing is not zero', () => {
    const [first, second] = run([demand(null, 200, 300, 400), good]);
    expect(demandOf(first!)).toContain('nothing usable is known of "fra"');
    expect(demandOf(second!)).toEqual([100, 200, 300, 400]);
  });

  test('a last good value stands in for so long and no longer, and what comes after that is not held against it', () => {
    const silent = new Array(7).fill(demand(null, 200, 300, 400));
    const judged = run([good, ...silent, demand(5000, 200, 300, 400)]);
    expect(judged.slice(1, 7).map(demandOf)).toEqual(new Array(6).fill([100, 200, 300, 400]));
    expect(demandOf(judged[7]!)).toContain('no good value is young enough');
    expect(demandOf(judged[8]!)).toEqual([5000, 200, 300, 400]);
  });

  test('what the source said of itself is part of the reason', () => {
    const [first] = run([() => ({ demandRps: [], notes: ['query demandRps: HTTP 503'] })]);
    expect(demandOf(first!)).toMatch(
      /^no edge has a usable demand: query demandRps: HTTP 503; demandRps of edge "fra"/,
    );
  });
});

describe('datacenters', () => {
  const up =
    (...values: readonly (number | null)[]) =>
    (atMs: number) => ({ up: said(values, atMs) });

  test('0 is abnormal and keeps nothing, 1 is normal', () => {
    expect(keepOf(run([up(1, 0, 1)])[0]!)).toEqual([1, 0, 1]);
  });

  test('silence neither kills nor revives', () => {
    const [, second, third] = run([up(1, 0, 1), up(1, null, 1), up(null, 0, 1)]);
    expect([second!, third!].map(keepOf)).toEqual([
      [1, 0, 1],
      [1, 0, 1],
    ]);
    expect(listFindings(third!.findings)).toBe('up of datacenter "dub" is missing');
  });

  test('half up is impossible, and more than one silent datacenter of three holds the epoch', () => {
    expect(listFindings(run([good, up(0.5, 1, 1)])[1]!.findings)).toBe(
      'up of datacenter "dub" is 0.5, expected 0 or 1',
    );
    expect(keepOf(run([good, up(null, null, 1)])[1]!)).toContain('2 of 3 datacenters have no usable state');
  });

  test('bad service metrics are told and move nothing; a watch that fell silent is named', () => {
    const [first] = run([(atMs) => ({ healthy: said([1, 0, null], atMs) })]);
    expect(first!.unhealthy).toEqual(['iad']);
    expect(keepOf(first!)).toEqual([1, 1, 1]);
    const [silent] = run([(atMs) => ({ healthy: said([0, null, null], atMs - 700_000) })]);
    expect(silent!.unhealthy).toEqual([]);
    expect(listFindings(silent!.findings)).toBe('healthy of datacenter "dub" is 700s old, expected at most 600s');
  });
});

describe('observed allocation', () => {
  const nulls = new Array(9).fill(null);
  const allocation =
    (...values: readonly (number | null)[]) =>
    (atMs: number) => ({ allocation: said([...values, ...nulls], atMs) });

  test('close to the last table, or to the one before, is as it should be; a pair unseen is none of it', () => {
    expect(run([allocation(0.4, 0.3, 0.3)])[0]!.contradicting).toEqual([]);
    const moved = Float64Array.from({ length: 12 }, (_, i) => (i % 3 === 2 ? 0 : 0.5));
    const context = (served: Float64Array) => ({ topology, limits, nowMs: startMs, served });
    const before = judgeTelemetry(telemetry(startMs), nothingRemembered(topology), context(third)).memory;
    for (const row of [allocation(0.33, 0.33, 0.34), allocation(0.5, 0.5, null)]) {
      const judged = judgeTelemetry(telemetry(startMs, row(startMs)), before, context(moved));
      expect(judged.contradicting).toEqual([]);
    }
  });

  test('elsewhere is named and still planned on', () => {
    const [first] = run([allocation(0.9, 0.1, 0)]);
    expect(listFindings(first!.contradicting)).toBe(
      'allocation of edge "fra" differs from the last tables in 0.5667 of its demand, expected at most 0.1',
    );
    expect(first!.decision.kind).toBe('usable');
  });

  test('impossible shares are named as such', () => {
    expect(listFindings(run([allocation(0.2, 0.2, 0.2)])[0]!.contradicting)).toContain('shares that sum to 1');
    expect(listFindings(run([allocation(1.5, 0, 0)])[0]!.contradicting)).toContain('is 1.5, expected 0..1');
    expect(listFindings(run([allocation(Number.NaN, 0, 0)])[0]!.contradicting)).toContain('is NaN, expected 0..1');
  });
});

test('whatever a source says, an epoch is planned on finite values or held with a reason, and all made up is named', () => {
  const reading = fc.option(
    fc.record({
      value: fc.oneof(fc.double(), fc.constantFrom(0, 1, -1, 100, 1e300, Number.NaN)),
      observedAtMs: fc.oneof(
        fc.double(),
        fc.integer({ min: -2_000_000, max: 200_000 }).map((ms) => startMs + ms),
      ),
    }),
  );
  const row = fc.array(reading, { maxLength: 13 });
  const anything = fc.record({
    demandRps: fc.oneof(row, fc.constant(said([100, 200, 300, 400], startMs))),
    up: fc.oneof(row, fc.constant(said([1, 1, 0], startMs))),
    healthy: row,
    rttMs: row,
    allocation: row,
    sessions: row,
    notes: fc.array(fc.string(), { maxLength: 2 }),
  });
  let usable = 0;
  fc.assert(
    fc.property(fc.array(anything, { minLength: 1, maxLength: 5 }), (epochs) => {
      let memory = nothingRemembered(topology);
      epochs.forEach((telemetry, i) => {
        const context = { topology, limits, nowMs: startMs + i * 1000, served: i % 2 ? third : null };
        const judged = judgeTelemetry(telemetry, memory, context);
        memory = judged.memory;
        const { decision, findings } = judged;
        if (decision.kind === 'held') {
          expect(decision.reason.length).toBeGreaterThan(20);
          return;
        }
        usable += 1;
        expect(decision.demandRps).toHaveLength(4);
        for (const rps of decision.demandRps) expect(rps >= 0 && rps <= Number.MAX_SAFE_INTEGER).toBe(true);
        for (const count of decision.sessions ?? []) expect(Number.isNaN(count) || count >= 0).toBe(true);
        for (const ms of decision.rttMs ?? []) expect(ms >= 0 && ms < 60_000).toBe(true);
        expect(decision.states.map(({ keep }) => keep).every((keep) => keep === 0 || keep === 1)).toBe(true);
        const named = findings.filter(({ signal }) => signal === 'demandRps').map(({ place }) => place.id);
        expect(named).toEqual(edges.filter((_, e) => decision.filled[e]).map(({ id }) => id));
      });
    }),
    { seed: 1, numRuns: 2000 },
  );
  expect(usable).toBeGreaterThan(100);
});
