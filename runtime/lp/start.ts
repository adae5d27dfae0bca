/** From prices to a basis: where simplex should begin, told by what the limits cost an epoch ago.
 *
 *  Nearly every row of our programs belongs to one edge and says that what leaves it arrives; a few dozen belong to all of
 *  them (levels, guards). Given prices for those few, every edge by itself is trivial: its cheapest columns, one of them
 *  basic. A row with a price is tight, so a column more is basic for it: the one that is most nearly as cheap as the
 *  basic one of its edge, chosen so that the basis is regular. With the exact prices of an optimum that is an optimal
 *  basis again; with those of an epoch ago, a few steps from it. So a few dozen numbers carry what a basis of thousands
 *  of rows would, and they fit whatever columns the next program has.
 *  Declined: the engine's own basis, matched by keys. In delta form what was gained last epoch is base in the next, and
 *  the old basis fits nothing. */

import type { LinearProgram, RowPrices } from './problem.ts';

/** As HiGHS numbers them. */
export const atLower = 0;
const basic = 1;
const atUpper = 2;

export interface Basis {
  readonly columns: Int32Array; // [column] atLower, basic or atUpper
  readonly rows: Int32Array; // [row] the same of its activity; as many are basic in both as there are rows
}

const singular = 1e-7;

/** `reduced` [column]: what a unit of it costs at these prices. */
export function basisAt(program: LinearProgram, prices: RowPrices): Basis & { readonly reduced: Float64Array } {
  const { ownRow, isOwn } = ownRows(program);
  const reduced = reducedCosts(program, prices, isOwn);
  const columns = new Int32Array(program.cost.length);
  const rows = new Int32Array(program.rowLower.length).fill(basic);
  const basicOf = new Int32Array(rows.length).fill(-1); // [own row] its basic column
  for (let r = 0; r < rows.length; r++) {
    if (isOwn[r] === 0) continue;
    rows[r] = atLower;
    basicOf[r] = settle(program, r, reduced);
  }
  for (let j = 0; j < columns.length; j++)
    if (reduced[j]! < 0 && Number.isFinite(program.upper[j]!)) columns[j] = atUpper;
  for (let r = 0; r < rows.length; r++) if (basicOf[r]! >= 0) columns[basicOf[r]!] = basic;
  defineSums(program, { ownRow, isOwn }, columns, rows);
  makeTight(program, prices, { ownRow, reduced, basicOf }, columns, rows);
  return { columns, rows, reduced };
}

interface Settled {
  readonly ownRow: Int32Array;
  readonly isOwn: Uint8Array;
  readonly reduced: Float64Array;
  readonly basicOf: Int32Array;
}

/** Equations that share no column, the shortest first: [column] the one it is in or -1, [row] is it one. */
function ownRows({ cost, rowLower, rowUpper, rowStart, columnIndex }: LinearProgram): {
  ownRow: Int32Array;
  isOwn: Uint8Array;
} {
  const ownRow = new Int32Array(cost.length).fill(-1);
  const isOwn = new Uint8Array(rowLower.length);
  const widthOf = (r: number): number => rowStart[r + 1]! - rowStart[r]!;
  const equations: number[] = [];
  for (let r = 0; r < isOwn.length; r++) if (rowLower[r] === rowUpper[r] && widthOf(r) > 0) equations.push(r);
  equations.sort((a, b) => widthOf(a) - widthOf(b) || a - b);
  for (const r of equations) {
    const [from, to] = [rowStart[r]!, rowStart[r + 1]!];
    let isFree = true;
    for (let k = from; k < to && isFree; k++) isFree = ownRow[columnIndex[k]!]! < 0;
    if (!isFree) continue;
    isOwn[r] = 1;
    for (let k = from; k < to; k++) ownRow[columnIndex[k]!] = r;
  }
  return { ownRow, isOwn };
}

/** [column] cost less what it takes of the rows of all, at their prices. */
function reducedCosts(program: LinearProgram, prices: Float64Array, isOwn: Uint8Array): Float64Array {
  const { rowStart, columnIndex, value } = program;
  const reduced = program.cost.slice();
  for (let r = 0; r < prices.length; r++) {
    const price = prices[r]!;
    if (isOwn[r] === 1 || price === 0) continue;
    for (let k = rowStart[r]!; k < rowStart[r + 1]!; k++) reduced[columnIndex[k]!]! -= price * value[k]!;
  }
  return reduced;
}

/** Prices an own row so that its cheapest columns meet it: walks up the prices at which a column changes its bound until
 *  the row's activity is there. Returns the column that does it, and leaves the reduced costs at that price. */
function settle(program: LinearProgram, r: number, reduced: Float64Array): number {
  const { rowStart, columnIndex, value, lower, upper } = program;
  const [from, to] = [rowStart[r]!, rowStart[r + 1]!];
  let activity = 0; // at a price of minus infinity
  for (let k = from; k < to; k++) {
    const j = columnIndex[k]!;
    activity += value[k]! * (value[k]! > 0 ? lower[j]! : upper[j]!);
  }
  const wanted = program.rowLower[r]! - 1e-9;
  let price = Number.NEGATIVE_INFINITY;
  let last = -1; // entry
  while (last < 0 || activity < wanted) {
    let next = -1;
    let nextPrice = Number.POSITIVE_INFINITY;
    for (let k = from; k < to; k++) {
      const itsPrice = reduced[columnIndex[k]!]! / value[k]!;
      const isLater = itsPrice > price || (itsPrice === price && k > last);
      if (isLater && itsPrice < nextPrice) {
        next = k;
        nextPrice = itsPrice;
      }
    }
    if (next < 0) break; // it cannot be met: the engine will say so
    const j = columnIndex[next]!;
    activity += Math.abs(value[next]!) * (upper[j]! - lower[j]!);
    price = nextPrice;
    last = next;
  }
  for (let k = from; k < to; k++) {
    const j = columnIndex[k]!;
    reduced[j] = k === last ? 0 : reduced[j]! - price * value[k]!;
  }
  return columnIndex[last]!;
}

/** An equation of all edges that defines a column without a cost has that one basic. */
function defineSums(
  program: LinearProgram,
  { ownRow, isOwn }: Pick<Settled, 'ownRow' | 'isOwn'>,
  columns: Int32Array,
  rows: Int32Array,
): void {
  const { rowStart, columnIndex, rowLower, rowUpper, cost, lower, upper } = program;
  for (let r = 0; r < rows.length; r++) {
    if (isOwn[r] === 1 || rowLower[r] !== rowUpper[r]) continue;
    for (let k = rowStart[r]!; k < rowStart[r + 1]!; k++) {
      const j = columnIndex[k]!;
      if (ownRow[j]! >= 0 || cost[j] !== 0 || columns[j] === basic || lower[j] === upper[j]) continue;
      columns[j] = basic;
      rows[r] = atLower;
      break;
    }
  }
}

/** Gives each row that has a price a basic column in place of its slack. */
function makeTight(
  program: LinearProgram,
  prices: Float64Array,
  { ownRow, reduced, basicOf }: Omit<Settled, 'isOwn'>,
  columns: Int32Array,
  rows: Int32Array,
): void {
  const { rowStart, columnIndex, value } = program;
  const tight: number[] = [];
  for (let r = 0; r < rows.length; r++) if (rows[r] === basic && prices[r] !== 0) tight.push(r);
  if (tight.length === 0) return;
  const width = tight.length;
  const candidates = nearestToBasic(reduced, columns, 8 * width);
  const slotOf = new Map<number, number>(); // column -> its place in `entries`
  for (const j of candidates) {
    slotOf.set(j, slotOf.size);
    if (ownRow[j]! >= 0 && !slotOf.has(basicOf[ownRow[j]!]!)) slotOf.set(basicOf[ownRow[j]!]!, slotOf.size);
  }
  const slots = new Int32Array(reduced.length).fill(-1);
  for (const [j, slot] of slotOf) slots[j] = slot;
  const entries = new Float64Array(slotOf.size * width); // of tight rows
  const ownValue = new Float64Array(slotOf.size);
  const note = (r: number, put: (slot: number, entry: number) => void): void => {
    for (let k = rowStart[r]!; k < rowStart[r + 1]!; k++) {
      const slot = slots[columnIndex[k]!]!;
      if (slot >= 0) put(slot, value[k]!);
    }
  };
  tight.forEach((r, t) => {
    note(r, (slot, entry) => {
      entries[slot * width + t] = entry;
    });
  });
  for (const r of new Set(candidates.map((j) => ownRow[j]!))) {
    if (r < 0) continue;
    note(r, (slot, entry) => {
      ownValue[slot] = entry;
    });
  }
  const echelon: { readonly pivot: number; readonly row: Float64Array }[] = [];
  for (const j of candidates) {
    if (echelon.length === width) break;
    const slot = slotOf.get(j)!;
    const vector = entries.slice(slot * width, (slot + 1) * width);
    if (ownRow[j]! >= 0) {
      const other = slotOf.get(basicOf[ownRow[j]!]!)!;
      const ratio = ownValue[slot]! / ownValue[other]!;
      for (let t = 0; t < width; t++) vector[t]! -= ratio * entries[other * width + t]!;
    }
    for (const { pivot, row } of echelon) {
      const factor = vector[pivot]! / row[pivot]!;
      if (factor !== 0) for (let t = 0; t < width; t++) vector[t]! -= factor * row[t]!;
    }
    let pivot = 0;
    for (let t = 1; t < width; t++) if (Math.abs(vector[t]!) > Math.abs(vector[pivot]!)) pivot = t;
    if (Math.abs(vector[pivot]!) < singular) continue;
    echelon.push({ pivot, row: vector });
    columns[j] = basic;
    rows[tight[pivot]!] = prices[tight[pivot]!]! > 0 ? atLower : atUpper;
  }
}

/** At least `count` columns (where there are as many) that are not basic and have the least to win or lose, least first. */
function nearestToBasic(reduced: Float64Array, columns: Int32Array, count: number): number[] {
  for (let within = 1e-6; ; within *= 10) {
    const found: number[] = [];
    let all = 0;
    for (let j = 0; j < reduced.length; j++) {
      if (columns[j] === basic) continue;
      all += 1;
      if (Math.abs(reduced[j]!) <= within) found.push(j);
    }
    if (found.length < count && found.length < all) continue;
    return found.sort((a, b) => Math.abs(reduced[a]!) - Math.abs(reduced[b]!) || a - b).slice(0, 4 * count);
  }
}
