/** A linear program as free-format MPS, which every solver reads. Numbers are written as their shortest exact text, so a
 *  reader gets the same doubles. Declined: the CPLEX LP form, whose readers differ on ranges and on long lines. */

import assert from 'node:assert';
import type { LinearProgram } from '../../runtime/lp/problem.ts';

/** Columns are c0, c1, .. and rows r0, r1, .. in their order; the objective is the row `cost`. */
export function mpsOf(program: LinearProgram): string {
  const { cost, lower, upper, rowLower, rowUpper, columnStart, rowIndex, value } = program;
  const rows: string[] = [];
  const sides: string[] = [];
  const ranges: string[] = [];
  rowLower.forEach((low, r) => {
    const high = rowUpper[r]!;
    assert(Number.isFinite(low) || Number.isFinite(high), `row ${r} limits nothing`);
    const sense = low === high ? 'E' : Number.isFinite(high) ? 'L' : 'G';
    rows.push(` ${sense} r${r}`);
    sides.push(` RHS r${r} ${sense === 'G' ? low : high}`);
    if (sense === 'L' && Number.isFinite(low)) ranges.push(` RANGES r${r} ${high - low}`);
  });
  const columns: string[] = [];
  const bounds: string[] = [];
  cost.forEach((price, j) => {
    columns.push(` c${j} cost ${price}`); // also where it is 0: a column that nothing names would not exist
    for (let k = columnStart[j]!; k < columnStart[j + 1]!; k++) columns.push(` c${j} r${rowIndex[k]} ${value[k]}`);
    if (lower[j] === upper[j]) bounds.push(` FX BOUND c${j} ${lower[j]}`);
    else {
      bounds.push(` LO BOUND c${j} ${lower[j]}`);
      if (Number.isFinite(upper[j]!)) bounds.push(` UP BOUND c${j} ${upper[j]}`);
    }
  });
  return [
    'NAME taiji',
    'ROWS',
    ' N cost',
    ...rows,
    'COLUMNS',
    ...columns,
    'RHS',
    ...sides,
    ...(ranges.length > 0 ? ['RANGES', ...ranges] : []),
    'BOUNDS',
    ...bounds,
    'ENDATA',
    '',
  ].join('\n');
}
