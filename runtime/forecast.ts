/** Demand of the epoch to come: Holt-Winters with a daily and a weekly season (Taylor, "Short-term electricity demand
 *  forecasting using double seasonal exponential smoothing", 2003; damped trend after Gardner and McKenzie), each edge by
 *  itself, one step ahead, from what was observed before.
 *
 *  A profile (what an edge asks at this time of day, and what the day of the week adds) is learnt from residuals that
 *  are cut at a few times their usual size, so that a flash crowd does not come back as a ghost the day after. On top
 *  of it runs a level with a damped trend, which follows the flash crowd at once. How fast it follows is not a constant:
 *  a few dozen candidates run side by side (with the season added, scaled or left out), and an edge's forecast is that
 *  of the candidate with the least mean error over the last day. The last value is the first of them and leaves only
 *  to a better one: without a day of history there is no season, without an hour of proof no candidate.
 *
 *  Declined: averaging the candidates by their errors (worse than choosing on every series tried), logarithms (demand
 *  may be 0), a maximum-likelihood fit (a window of history to keep, and an optimiser in the loop). */

import assert from 'node:assert/strict';

export interface ForecastOptions {
  readonly edges: number;
  readonly epochMs: number; // between two observations
  readonly kind: 'last' | 'holt-winters';
}

/** Plain data: it survives JSON, and a forecaster resumed from it goes on as if it had never stopped. */
export interface ForecastState {
  readonly edges: readonly EdgeForecast[];
}

export interface EdgeForecast {
  firstMs: number | null; // of the first observation
  lastMs: number;
  lastRps: number;
  judged: number; // observations the candidates forecast
  readonly level: number[]; // [candidate] over the profile; of the demand where the season is scaled or left out
  readonly slope: number[]; // [candidate] an epoch; of a scaled one, the profile smoothed as its level is
  readonly errorRps: number[]; // [candidate] mean over about a day
  readonly day: number[]; // [slot of the day]
  readonly dayVisits: number[];
  readonly week: number[]; // [slot of the week] on top of the day's
  readonly weekVisits: number[];
  residualRps: number; // usual size
  residuals: number; // seen
}

interface Candidate {
  readonly season: 'none' | 'added' | 'scaled';
  readonly alpha: number; // gain of the level
  readonly beta: number; // gain of the trend
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;
const slotMsMin = 300_000; // a finer profile would be noise
const smoothedMs = hourMs / 2; // the profile at a time is a weighted mean over this much before and after
const dayGain = 0.1;
const weekGain = 0.2;
const damping = 0.98;
const residualsMax = 4; // times the usual size
const judgedMin = 12;
const growthMax = 2; // over the last value and the profile, whichever is more

/** The first is the last value. Gains are spread by ratio, not fitted to any series. */
const candidates: readonly Candidate[] = (['none', 'added', 'scaled'] as const).flatMap((season) =>
  [1, 0.5, 0.25, 0.1].flatMap((alpha) =>
    (season === 'scaled' ? [0] : [0, 0.05, 0.2]).map((beta) => ({ season, alpha, beta })),
  ),
);

export class Forecaster {
  readonly #options: ForecastOptions;
  readonly #slotMs: number;
  readonly #visit: number; // of a slot by one observation
  readonly #dayShare: number; // of a day in one epoch
  readonly #edges: readonly EdgeForecast[];

  /** `from`: the state of an earlier one with the same options, null for an edge that it did not know; it is copied. */
  constructor(options: ForecastOptions, from: { readonly edges: readonly (EdgeForecast | null)[] } | null = null) {
    const { edges, epochMs, kind } = options;
    assert(epochMs > 0, 'an epoch takes time');
    this.#options = options;
    this.#slotMs = Math.max(epochMs, slotMsMin);
    this.#visit = epochMs / this.#slotMs;
    this.#dayShare = Math.min(1, epochMs / dayMs);
    const slots = kind === 'last' ? 0 : Math.ceil(dayMs / this.#slotMs);
    this.#edges = from
      ? from.edges.map((edge) => (edge ? copyOf(edge) : unseen(slots)))
      : Array.from({ length: edges }, () => unseen(slots));
    assert.equal(this.#edges.length, edges, 'a state of as many edges');
    assert(
      this.#edges.every(({ day }) => day.length === slots),
      'a state of the same epoch and kind',
    );
  }

  get state(): ForecastState {
    return { edges: this.#edges.map(copyOf) };
  }

  /** Start of the last epoch that any edge was observed in; -Infinity before the first. */
  get observedMs(): number {
    return this.#edges.reduce(
      (latest, edge) => (edge.firstMs === null ? latest : Math.max(latest, edge.lastMs)),
      -Infinity,
    );
  }

  /** What edges asked from `timeMs` on, for an epoch; times ascend. What is not a number of requests (NaN, negative) was
   *  not observed. */
  observe(timeMs: number, demandRps: Float64Array): void {
    assert.equal(demandRps.length, this.#edges.length, 'a demand an edge');
    this.#edges.forEach((edge, e) => {
      const rps = demandRps[e]!;
      if (!(rps >= 0 && rps <= Number.MAX_SAFE_INTEGER)) return;
      assert(edge.firstMs === null || timeMs > edge.lastMs, 'observations come in order of time');
      if (this.#options.kind === 'holt-winters') this.#learn(edge, timeMs, rps);
      edge.firstMs ??= timeMs;
      edge.lastMs = timeMs;
      edge.lastRps = rps;
    });
  }

  /** [edge] rps of the epoch that starts at `timeMs`, after the last observation: finite, 0 or more; 0 for an edge that
   *  was never observed. */
  next(timeMs: number): Float64Array {
    return Float64Array.from(this.#edges, (edge) => {
      if (this.#options.kind === 'last' || edge.judged < judgedMin) return edge.lastRps;
      const profileRps = this.#isSeasonal(edge, edge.lastMs) ? this.#profileAt(edge, timeMs) : null;
      // What is left of a deviation after a gap, nobody knows.
      if (this.#isGap(edge, timeMs)) return profileRps ?? edge.lastRps;
      let best = 0;
      candidates.forEach(({ season }, c) => {
        if (season !== 'none' && profileRps === null) return;
        if (edge.errorRps[c]! < edge.errorRps[best]!) best = c;
      });
      return forecastOf(edge, best, profileRps);
    });
  }

  #learn(edge: EdgeForecast, timeMs: number, rps: number): void {
    const wasSeasonal = this.#isSeasonal(edge, edge.lastMs);
    const isSeasonal = this.#isSeasonal(edge, timeMs);
    const begins = edge.firstMs === null || this.#isGap(edge, timeMs);
    if (!begins) this.#judge(edge, rps, wasSeasonal ? this.#profileAt(edge, timeMs) : null);
    this.#learnSeason(edge, timeMs, rps);
    const profileRps = this.#profileAt(edge, timeMs) ?? 0; // never null: the time has just been visited
    candidates.forEach(({ season }, c) => {
      if (season === 'none') follow(edge, c, rps, begins);
      else if (isSeasonal) {
        if (season === 'added') follow(edge, c, rps - profileRps, begins || !wasSeasonal);
        else followScaled(edge, c, rps, profileRps, begins || !wasSeasonal);
        // A season has to earn its turn, from where the last value stands.
        if (!wasSeasonal) edge.errorRps[c] = edge.errorRps[0]!;
      }
    });
  }

  /** Holds the candidates' forecasts against what came. */
  #judge(edge: EdgeForecast, rps: number, profileRps: number | null): void {
    edge.judged += 1;
    const gain = Math.max(this.#dayShare, 1 / edge.judged);
    candidates.forEach(({ season }, c) => {
      if (season !== 'none' && profileRps === null) return;
      const errorRps = Math.abs(rps - forecastOf(edge, c, profileRps));
      edge.errorRps[c] = edge.errorRps[c]! + gain * (errorRps - edge.errorRps[c]!);
    });
  }

  #learnSeason(edge: EdgeForecast, timeMs: number, rps: number): void {
    if (edge.day.length === 0) return;
    const { day, dayVisits, week, weekVisits } = edge;
    const [d, w] = [this.#slotOfDay(timeMs), this.#slotOfWeek(timeMs)];
    const isNew = dayVisits[d] === 0;
    let residualRps = rps - day[d]! - week[w]!;
    if (!isNew) residualRps = this.#usual(edge, residualRps);
    // The first visits are averaged, later ones smoothed.
    day[d] = day[d]! + this.#visit * Math.max(dayGain, 1 / (dayVisits[d]! + this.#visit)) * residualRps;
    dayVisits[d] = dayVisits[d]! + this.#visit;
    if (isNew || timeMs - edge.firstMs! < weekMs) return;
    weekVisits[w] = weekVisits[w]! + this.#visit;
    week[w] = week[w]! + this.#visit * Math.max(weekGain, 1 / (weekVisits[w]! + 1)) * residualRps;
  }

  /** The residual, cut where it is far from the usual size, which follows. */
  #usual(edge: EdgeForecast, residualRps: number): number {
    const isSizeKnown = edge.residuals * this.#dayShare >= 0.25;
    const mostRps = isSizeKnown ? residualsMax * edge.residualRps : Number.POSITIVE_INFINITY;
    const cutRps = Math.max(-mostRps, Math.min(mostRps, residualRps));
    edge.residuals += 1;
    const gain = Math.max(this.#dayShare, 1 / edge.residuals);
    edge.residualRps += gain * (Math.abs(cutRps) - edge.residualRps);
    return cutRps;
  }

  /** Null where nothing is known of that time of day. */
  #profileAt(edge: EdgeForecast, timeMs: number): number | null {
    const reach = Math.floor(smoothedMs / this.#slotMs);
    const day = smoothed(edge.day, edge.dayVisits, this.#slotOfDay(timeMs), reach);
    if (day === null) return null;
    return Math.max(0, day + (smoothed(edge.week, edge.weekVisits, this.#slotOfWeek(timeMs), reach) ?? 0));
  }

  #slotOfDay(timeMs: number): number {
    return Math.floor(modulo(timeMs, dayMs) / this.#slotMs);
  }

  #slotOfWeek(timeMs: number): number {
    return Math.floor(modulo(timeMs, weekMs) / dayMs) * Math.ceil(dayMs / this.#slotMs) + this.#slotOfDay(timeMs);
  }

  /** Whether a day was known at `timeMs`. An epoch of half a day or more has no season. */
  #isSeasonal(edge: EdgeForecast, timeMs: number): boolean {
    return edge.firstMs !== null && timeMs - edge.firstMs >= dayMs && edge.day.length > 2;
  }

  #isGap(edge: EdgeForecast, timeMs: number): boolean {
    return timeMs - edge.lastMs > Math.max(hourMs, 2 * this.#options.epochMs);
  }
}

/** Level and damped trend. */
function follow(edge: EdgeForecast, c: number, value: number, begins: boolean): void {
  const { alpha, beta } = candidates[c]!;
  const before = edge.level[c]!;
  const slope = damping * edge.slope[c]!;
  edge.level[c] = begins ? value : before + slope + alpha * (value - before - slope);
  edge.slope[c] = begins ? 0 : slope + beta * (edge.level[c]! - before - slope);
}

/** Demand over profile, each smoothed before they are divided: a quotient of two small numbers would jump. */
function followScaled(edge: EdgeForecast, c: number, rps: number, profileRps: number, begins: boolean): void {
  const alpha = begins ? 1 : candidates[c]!.alpha;
  edge.level[c] = edge.level[c]! + alpha * (rps - edge.level[c]!);
  edge.slope[c] = edge.slope[c]! + alpha * (profileRps - edge.slope[c]!);
}

/** Never negative, and bounded: a forecast may be wrong, not wild. */
function forecastOf(edge: EdgeForecast, c: number, profileRps: number | null): number {
  const [level, slope, season] = [edge.level[c]!, edge.slope[c]!, candidates[c]!.season];
  let rps = level + damping * slope;
  if (season === 'added') rps += profileRps!;
  if (season === 'scaled') rps = slope > 0 ? (profileRps! * level) / slope : edge.lastRps;
  return Math.max(0, Math.min(growthMax * Math.max(edge.lastRps, profileRps ?? 0), rps));
}

/** Mean over the slots within `reach` that were visited, nearer ones weighing more; null where none was. */
function smoothed(values: readonly number[], visits: readonly number[], slot: number, reach: number): number | null {
  let [sum, weights] = [0, 0];
  for (let offset = -reach; offset <= reach; offset++) {
    const i = modulo(slot + offset, values.length);
    if (!(visits[i]! > 0)) continue;
    const weight = reach + 1 - Math.abs(offset);
    sum += weight * values[i]!;
    weights += weight;
  }
  return weights > 0 ? sum / weights : null;
}

function unseen(slots: number): EdgeForecast {
  const zeros = (length: number): number[] => Array.from({ length }, () => 0);
  const count = slots === 0 ? 0 : candidates.length;
  return {
    firstMs: null,
    lastMs: 0,
    lastRps: 0,
    judged: 0,
    level: zeros(count),
    slope: zeros(count),
    errorRps: zeros(count),
    day: zeros(slots),
    dayVisits: zeros(slots),
    week: zeros(7 * slots),
    weekVisits: zeros(7 * slots),
    residualRps: 0,
    residuals: 0,
  };
}

function copyOf(edge: EdgeForecast): EdgeForecast {
  return {
    ...edge,
    level: [...edge.level],
    slope: [...edge.slope],
    errorRps: [...edge.errorRps],
    day: [...edge.day],
    dayVisits: [...edge.dayVisits],
    week: [...edge.week],
    weekVisits: [...edge.weekVisits],
  };
}

function modulo(a: number, n: number): number {
  return ((a % n) + n) % n;
}
