/** Two results of the same shape side by side, and how far every figure of the one is from the other: plans with and
 *  without edits, replays under two policies. */

export interface Comparison<Result> {
  readonly summary: Result; // what is compared with
  readonly change: Changes; // this one minus it, for every figure
}

export interface Changes {
  readonly [key: string]: number | Changes;
}

/** `now` minus `before` for every number in either, to nine decimals; one that is missing counts as 0, for counts by name
 *  leave out what did not happen. Words and lists have no difference and are left out. */
export function changesOf(now: object, before: object): Changes {
  const changes: [string, number | Changes][] = [];
  for (const key of new Set([...Object.keys(now), ...Object.keys(before)])) {
    const is: unknown = Reflect.get(now, key);
    const was: unknown = Reflect.get(before, key);
    if (isFigure(is) || isFigure(was))
      changes.push([key, tidy((is === undefined ? 0 : Number(is)) - Number(was ?? 0))]);
    else if (isGroup(is) || isGroup(was))
      changes.push([key, changesOf(isGroup(is) ? is : {}, isGroup(was) ? was : {})]);
  }
  return Object.fromEntries(changes);
}

const isFigure = (value: unknown): value is number => typeof value === 'number';
const isGroup = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A difference as people read it: `+0.0412`, `-0.0003`, and `0` where nothing shows. */
export function signed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return 'none';
  const text = Math.abs(value).toFixed(decimals);
  return Number(text) === 0 ? '0' : `${value < 0 ? '-' : '+'}${text}`;
}

/** Cells under each other: the first column to the left, the others to the right, the last as it is. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : c === row.length - 1 ? cell : cell.padStart(widths[c]!)))
      .join('  ')
      .trimEnd(),
  );
}

function tidy(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}
