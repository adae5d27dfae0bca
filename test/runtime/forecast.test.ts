/** The demand forecast: its recursion against a plain one, and what it may never do. */

import { expect, test } from 'vitest';
import { type Random, seededRandom } from '../../config/random.ts';
import { Forecaster, type ForecastState } from '../../runtime/forecast.ts';
import { plainForecast } from './plain-forecast.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const startMs = Date.parse('2026-03-02T00:00:00Z');

test('forecasts are those of the plain recursion over the whole history', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = seededRandom(seed);
    const epochMs = [1, 5, 30, 60, 300, 720][seed % 6]! * minuteMs;
    const forecaster = new Forecaster({ edges: 1, epochMs, kind: 'holt-winters' });
    const seen: { timeMs: number; rps: number }[] = [];
    const days = epochMs < hourMs / 2 ? 2.2 : epochMs > hourMs ? 80 : 17;
    for (let timeMs = startMs; timeMs < startMs + days * dayMs; timeMs += epochMs) {
      if (random() < 0.002) timeMs += Math.floor((random() * 10 * hourMs) / epochMs) * epochMs; // a gap
      if (random() < 0.05 || timeMs > startMs + (days - 0.2) * dayMs) {
        const plain = plainForecast(seen, timeMs, epochMs);
        const off = Math.abs(forecaster.next(timeMs)[0]! - plain);
        expect(off, `seed ${seed}, ${seen.length} seen, ${plain}`).toBeLessThanOrEqual(1e-7 * (1 + plain));
      }
      const rps = roughDemand(random, timeMs);
      forecaster.observe(timeMs, Float64Array.of(rps));
      if (!Number.isNaN(rps)) seen.push({ timeMs, rps });
    }
  }
});

test('a forecaster resumed from its state, through JSON, goes on as if it had never stopped', () => {
  const options = { edges: 2, epochMs: hourMs, kind: 'holt-winters' } as const;
  const whole = new Forecaster(options);
  let resumed = new Forecaster(options);
  const random = seededRandom(3);
  for (let hour = 0; hour < 400; hour++) {
    const timeMs = startMs + hour * hourMs;
    const demandRps = Float64Array.of(roughDemand(random, timeMs), roughDemand(random, timeMs));
    whole.observe(timeMs, demandRps);
    resumed.observe(timeMs, demandRps);
    const state: ForecastState = JSON.parse(JSON.stringify(resumed.state));
    expect(state).toEqual(whole.state);
    if (hour % 37 === 0) resumed = new Forecaster(options, state);
    expect(resumed.next(timeMs + hourMs)).toEqual(whole.next(timeMs + hourMs));
  }
});

test('a state is a copy: what is observed later does not change it', () => {
  const forecaster = dailyForecaster(2);
  const state = forecaster.state;
  const before = JSON.stringify(state);
  forecaster.observe(startMs + 2 * dayMs, Float64Array.of(5));
  expect(JSON.stringify(state)).toBe(before);
});

test('whatever is observed, a forecast is finite, not negative and at most twice what was ever seen', () => {
  const hostile = [0, 0, 1e-300, 1, 1000, 2 ** 53 - 1, Number.NaN, -1, Number.POSITIVE_INFINITY, 1e308];
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    const forecaster = new Forecaster({ edges: 1, epochMs: hourMs, kind: 'holt-winters' });
    let mostRps = 0;
    for (let hour = 0; hour < 24 * 16; hour++) {
      const rps = hostile[Math.floor(random() * hostile.length)]!;
      const timeMs = startMs + hour * hourMs;
      const [forecast] = forecaster.next(timeMs);
      expect(forecast, `seed ${seed}, hour ${hour}`).toBeGreaterThanOrEqual(0);
      expect(forecast, `seed ${seed}, hour ${hour}`).toBeLessThanOrEqual(2 * mostRps);
      forecaster.observe(timeMs, Float64Array.of(rps));
      if (rps >= 0 && rps < 1e300) mostRps = Math.max(mostRps, rps);
    }
  }
});

test('edges do not touch each other, one that is never observed least of all', () => {
  const options = { epochMs: hourMs, kind: 'holt-winters' } as const;
  const three = new Forecaster({ edges: 3, ...options });
  const alone = [0, 1].map(() => new Forecaster({ edges: 1, ...options }));
  const random = seededRandom(5);
  for (let hour = 0; hour < 24 * 9; hour++) {
    const timeMs = startMs + hour * hourMs;
    const demandRps = [roughDemand(random, timeMs), roughDemand(random, timeMs)];
    three.observe(timeMs, Float64Array.of(...demandRps, Number.NaN));
    alone.forEach((one, e) => {
      one.observe(timeMs, Float64Array.of(demandRps[e]!));
    });
    const expected = [...alone.map((one) => one.next(timeMs + hourMs)[0]!), 0];
    expect([...three.next(timeMs + hourMs)]).toEqual(expected);
  }
});

test('kind last is the last value, kept where nothing was observed', () => {
  const forecaster = new Forecaster({ edges: 2, epochMs: hourMs, kind: 'last' });
  expect([...forecaster.next(startMs)]).toEqual([0, 0]);
  forecaster.observe(startMs, Float64Array.of(3, 4));
  forecaster.observe(startMs + hourMs, Float64Array.of(5, Number.NaN));
  expect([...forecaster.next(startMs + 2 * hourMs)]).toEqual([5, 4]);
});

test('with a short history the forecast is the last value', () => {
  const forecaster = new Forecaster({ edges: 1, epochMs: hourMs, kind: 'holt-winters' });
  for (let hour = 0; hour < 12; hour++) {
    forecaster.observe(startMs + hour * hourMs, Float64Array.of(100 + 20 * hour));
    expect(forecaster.next(startMs + (hour + 1) * hourMs)[0]).toBe(100 + 20 * hour);
  }
});

test('a day teaches the time of day, a week the day of the week', () => {
  for (const [days, most] of [
    [3, 0.5],
    [22, 0.4],
  ] as const) {
    const random = seededRandom(days);
    const demand = (timeMs: number): number => {
      const isWeekend = days > 7 && [0, 6].includes(new Date(timeMs).getUTCDay());
      const rps = isWeekend ? steadyRps(timeMs + 6 * hourMs) : steadyRps(timeMs);
      return rps * (0.99 + 0.02 * random());
    };
    const forecaster = new Forecaster({ edges: 1, epochMs: 30 * minuteMs, kind: 'holt-winters' });
    let [ours, last, before] = [0, 0, 0];
    for (let timeMs = startMs; timeMs < startMs + days * dayMs; timeMs += 30 * minuteMs) {
      const rps = demand(timeMs);
      if (timeMs >= startMs + (days - 1) * dayMs) {
        ours += Math.abs(rps - forecaster.next(timeMs)[0]!);
        last += Math.abs(rps - before);
      }
      forecaster.observe(timeMs, Float64Array.of(rps));
      before = rps;
    }
    expect(ours / last, `${days} days`).toBeLessThan(most);
  }
});

test('a flash crowd is followed at once and does not come back the day after', () => {
  const crowdMs = startMs + 5 * dayMs + 15 * hourMs;
  const [calm, crowded] = [5, 5].map((days) => dailyForecaster(days));
  for (let timeMs = startMs + 5 * dayMs; timeMs < startMs + 7 * dayMs; timeMs += 5 * minuteMs) {
    const isCrowd = timeMs >= crowdMs && timeMs < crowdMs + hourMs;
    const rps = noisyRps(timeMs);
    if (timeMs >= crowdMs + 30 * minuteMs && isCrowd) {
      expect(Math.abs(crowded!.next(timeMs)[0]! / (3 * steadyRps(timeMs)) - 1), 'in the crowd').toBeLessThan(0.1);
    }
    if (timeMs >= startMs + 6 * dayMs) {
      const ghost = crowded!.next(timeMs)[0]! / calm!.next(timeMs)[0]! - 1;
      expect(Math.abs(ghost), `the day after, ${new Date(timeMs).toISOString()}`).toBeLessThan(0.03);
    }
    calm!.observe(timeMs, Float64Array.of(rps));
    crowded!.observe(timeMs, Float64Array.of(isCrowd ? 3 * rps : rps));
  }
});

test('after hours without telemetry the forecast is what that time of day asks', () => {
  const forecaster = dailyForecaster(4);
  const timeMs = startMs + 4 * dayMs + 9 * hourMs; // last seen at midnight
  expect(Math.abs(forecaster.next(timeMs)[0]! / steadyRps(timeMs) - 1)).toBeLessThan(0.02);
  expect(Math.abs(forecaster.next(startMs + 4 * dayMs)[0]! / steadyRps(timeMs) - 1)).toBeGreaterThan(0.2);
});

test('an epoch of a day or more has no season and does no harm', () => {
  const forecaster = new Forecaster({ edges: 1, epochMs: 2 * dayMs, kind: 'holt-winters' });
  for (let epoch = 0; epoch < 40; epoch++) forecaster.observe(startMs + epoch * 2 * dayMs, Float64Array.of(70));
  expect(forecaster.next(startMs + 80 * dayMs)[0]).toBeCloseTo(70, 9);
});

/** Between 40 and 160 over the day. */
function steadyRps(timeMs: number): number {
  return 100 - 60 * Math.cos((2 * Math.PI * (timeMs % dayMs)) / dayMs);
}

function noisyRps(timeMs: number): number {
  return steadyRps(timeMs) * (0.99 + 0.02 * seededRandom(timeMs / minuteMs)());
}

/** Has seen so many calm days in 5-minute steps. */
function dailyForecaster(days: number): Forecaster {
  const forecaster = new Forecaster({ edges: 1, epochMs: 5 * minuteMs, kind: 'holt-winters' });
  for (let timeMs = startMs; timeMs < startMs + days * dayMs; timeMs += 5 * minuteMs) {
    forecaster.observe(timeMs, Float64Array.of(noisyRps(timeMs)));
  }
  return forecaster;
}

/** Noise on a day, with zeros, spikes and what was not observed. */
function roughDemand(random: Random, timeMs: number): number {
  const chance = random();
  if (chance < 0.03) return Number.NaN;
  if (chance < 0.06) return 0;
  if (chance < 0.07) return 5000 * random();
  return steadyRps(timeMs) * (0.8 + 0.4 * random());
}
