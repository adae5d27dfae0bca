/** The forecast's recursion, plain and slow: one edge, from the first observation on at every call, maps keyed by the
 *  time of day and week instead of rings, and one object a candidate. */

interface Seen {
  readonly timeMs: number;
  readonly rps: number;
}

interface Follower {
  readonly season: string;
  begin(rps: number, profile: number): void;
  follow(rps: number, profile: number): void;
  forecast(profile: number, lastRps: number): number;
  error: number;
}

interface Slot {
  mean: number;
  visits: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function plainForecast(seen: readonly Seen[], timeMs: number, epochMs: number): number {
  const slotMs = Math.max(epochMs, hourMs / 12);
  const visit = epochMs / slotMs;
  const dayShare = Math.min(1, epochMs / dayMs);
  const slotsADay = Math.ceil(dayMs / slotMs);
  const hasSeason = slotsADay > 2;
  const [day, week] = [new Map<number, Slot>(), new Map<number, Slot>()];
  const slotOf = (atMs: number): number => Math.floor((atMs % dayMs) / slotMs);
  const weekSlotOf = (atMs: number): number => (Math.floor(atMs / dayMs) % 7) * slotsADay + slotOf(atMs);
  const around = (slots: Map<number, Slot>, slot: number, count: number): number | null => {
    const reach = Math.floor(hourMs / 2 / slotMs);
    let [sum, weights] = [0, 0];
    for (let far = -reach; far <= reach; far++) {
      const found = slots.get((slot + far + count * 10) % count);
      if (!found) continue;
      sum += found.mean * (reach + 1 - Math.abs(far));
      weights += reach + 1 - Math.abs(far);
    }
    return weights === 0 ? null : sum / weights;
  };
  const profileAt = (atMs: number): number | null => {
    const mean = around(day, slotOf(atMs), slotsADay);
    return mean === null ? null : Math.max(0, mean + (around(week, weekSlotOf(atMs), 7 * slotsADay) ?? 0));
  };
  const bounded = (rps: number, profile: number, lastRps: number): number =>
    Math.max(0, Math.min(2 * Math.max(lastRps, profile), rps));

  const all = followers();
  const [residual, judged] = [{ size: 0, count: 0 }, { count: 0 }];
  seen.forEach(({ timeMs: atMs, rps }, i) => {
    const firstMs = seen[0]!.timeMs;
    const last = seen[i - 1];
    const isGap = !last || atMs - last.timeMs > Math.max(hourMs, 2 * epochMs);
    const wasSeasonal = hasSeason && last !== undefined && last.timeMs - firstMs >= dayMs;
    const isSeasonal = hasSeason && atMs - firstMs >= dayMs;
    if (!isGap) {
      const profile = wasSeasonal ? profileAt(atMs) : null;
      judged.count += 1;
      for (const one of all) {
        if (one.season !== 'none' && profile === null) continue;
        const off = Math.abs(rps - bounded(one.forecast(profile ?? 0, last.rps), profile ?? 0, last.rps));
        one.error += Math.max(dayShare, 1 / judged.count) * (off - one.error);
      }
    }

    const dayBefore = day.get(slotOf(atMs));
    const weekBefore = week.get(weekSlotOf(atMs));
    let off = rps - (dayBefore?.mean ?? 0) - (weekBefore?.mean ?? 0);
    if (dayBefore) {
      const most = residual.count * dayShare >= 0.25 ? 4 * residual.size : Number.POSITIVE_INFINITY;
      if (Math.abs(off) > most) off = Math.sign(off) * most;
      residual.count += 1;
      residual.size += Math.max(dayShare, 1 / residual.count) * (Math.abs(off) - residual.size);
    }
    const visits = dayBefore?.visits ?? 0;
    day.set(slotOf(atMs), {
      mean: (dayBefore?.mean ?? 0) + visit * Math.max(0.1, 1 / (visits + visit)) * off,
      visits: visits + visit,
    });
    if (dayBefore && atMs - firstMs >= 7 * dayMs) {
      const weekVisits = (weekBefore?.visits ?? 0) + visit;
      week.set(weekSlotOf(atMs), {
        mean: (weekBefore?.mean ?? 0) + visit * Math.max(0.2, 1 / (weekVisits + 1)) * off,
        visits: weekVisits,
      });
    }

    const profile = profileAt(atMs)!;
    for (const one of all) {
      if (one.season !== 'none' && !isSeasonal) continue;
      const isNew = one.season !== 'none' && !wasSeasonal;
      if (isNew) one.error = all[0]!.error;
      if (isGap || isNew) one.begin(rps, profile);
      else one.follow(rps, profile);
    }
  });

  const last = seen.at(-1);
  if (!last) return 0;
  if (judged.count < 12) return last.rps;
  const profile = hasSeason && last.timeMs - seen[0]!.timeMs >= dayMs ? profileAt(timeMs) : null;
  if (timeMs - last.timeMs > Math.max(hourMs, 2 * epochMs)) return profile ?? last.rps;
  const fit = all.filter(({ season }) => season === 'none' || profile !== null);
  const best = fit.reduce((a, b) => (b.error < a.error ? b : a));
  return bounded(best.forecast(profile ?? 0, last.rps), profile ?? 0, last.rps);
}

function followers(): Follower[] {
  const made: Follower[] = [];
  for (const season of ['none', 'added', 'scaled']) {
    for (const alpha of [1, 1 / 2, 1 / 4, 1 / 10]) {
      if (season === 'scaled') made.push(scaled(alpha));
      else for (const beta of [0, 1 / 20, 1 / 5]) made.push(trended(season, alpha, beta));
    }
  }
  return made;
}

/** Level and damped trend of the demand, or of what it is over the profile. */
function trended(season: string, alpha: number, beta: number): Follower {
  let [level, slope] = [0, 0];
  const over = (rps: number, profile: number): number => (season === 'added' ? rps - profile : rps);
  return {
    season,
    error: 0,
    begin: (rps, profile) => {
      level = over(rps, profile);
      slope = 0;
    },
    follow: (rps, profile) => {
      const next = alpha * over(rps, profile) + (1 - alpha) * (level + 0.98 * slope);
      slope = beta * (next - level) + (1 - beta) * 0.98 * slope;
      level = next;
    },
    forecast: (profile) => level + 0.98 * slope + (season === 'added' ? profile : 0),
  };
}

/** The profile times smoothed demand over smoothed profile. */
function scaled(alpha: number): Follower {
  let [demand, expected] = [0, 0];
  return {
    season: 'scaled',
    error: 0,
    begin: (rps, profile) => {
      demand = rps;
      expected = profile;
    },
    follow: (rps, profile) => {
      demand = alpha * rps + (1 - alpha) * demand;
      expected = alpha * profile + (1 - alpha) * expected;
    },
    forecast: (profile, lastRps) => (expected > 0 ? (profile * demand) / expected : lastRps),
  };
}
