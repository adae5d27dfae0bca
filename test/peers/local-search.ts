/** The paper's solver (Taiji, SOSP'19, section 3.1.2), plainly: every edge's demand in equal units, the best single move
 *  until none helps. Compared by all utilizations, highest first, so that it does not stop at the first datacenter that
 *  is stuck. It tries every move of every round: for small instances only. */

export interface Placing {
  readonly demand: readonly number[]; // [e]
  readonly capacity: readonly number[]; // [d] > 0
  readonly mayHold: (e: number, d: number) => boolean;
  readonly unitsMax: number; // of one edge on one datacenter
}

/** The highest utilization it ends at; null where an edge has no room for its units. */
export function bestSingleMoves({ demand, capacity, mayHold, unitsMax }: Placing, units: number): number | null {
  const held = demand.map((_, e) => firstFit(e));
  if (held.some((row) => row.reduce((a, b) => a + b, 0) < units)) return null;
  const load = capacity.map((_, d) => demand.reduce((sum, rps, e) => sum + (rps * held[e]![d]!) / units, 0));
  const score = (): number[] => capacity.map((_, d) => load[d]! / capacity[d]!).sort((a, b) => b - a);
  for (;;) {
    let best: { e: number; from: number; to: number; score: number[] } | null = null;
    const now = score();
    for (const [e, row] of held.entries()) {
      const unit = demand[e]! / units;
      for (const [from, count] of row.entries()) {
        if (count === 0) continue;
        for (const to of row.keys()) {
          if (to === from || row[to]! >= unitsMax || !mayHold(e, to)) continue;
          load[from]! -= unit;
          load[to]! += unit;
          const then = score();
          load[from]! += unit;
          load[to]! -= unit;
          if (isBetter(then, best?.score ?? now)) best = { e, from, to, score: then };
        }
      }
    }
    if (!best) return now[0]!;
    held[best.e]![best.from]! -= 1;
    held[best.e]![best.to]! += 1;
    load[best.from]! -= demand[best.e]! / units;
    load[best.to]! += demand[best.e]! / units;
  }

  function firstFit(e: number): number[] {
    let left = units;
    return capacity.map((_, d) => {
      const taken = mayHold(e, d) ? Math.min(left, unitsMax) : 0;
      left -= taken;
      return taken;
    });
  }
}

/** Differences in the last digits are no improvement, or two moves could undo each other for ever. */
function isBetter(a: readonly number[], b: readonly number[]): boolean {
  const first = a.findIndex((value, i) => Math.abs(value - b[i]!) > 1e-12);
  return first >= 0 && a[first]! < b[first]!;
}
