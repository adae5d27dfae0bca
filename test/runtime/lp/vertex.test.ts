import { expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { openEngine } from '../../../runtime/lp/engines.ts';
import type { LinearProgram } from '../../../runtime/lp/problem.ts';
import { vertexAt } from '../../../runtime/lp/vertex.ts';
import { uniform } from '../../scene.ts';

/** Shipments from sources to sinks that are almost full, with a budget over all of them: our class of program. */
function shipments(seed: number): LinearProgram {
  const random = seededRandom(seed);
  const [sources, sinks] = [1 + Math.floor(random() * 40), 2 + Math.floor(random() * 8)];
  const amounts = Array.from({ length: sources }, () => uniform(random, 1, 9));
  const total = amounts.reduce((a, b) => a + b, 0);
  const lp = new ProgramBuilder();
  const full = Array.from({ length: sinks }, () => lp.row(Number.NEGATIVE_INFINITY, (1.05 * total) / sinks));
  const budget = lp.row(Number.NEGATIVE_INFINITY, uniform(random, 0.5, 1.5) * total * sinks);
  for (const amount of amounts) {
    const whole = lp.row(amount, amount);
    for (const row of full) {
      lp.column(uniform(random, 1, 50), 0, amount, whole);
      lp.put(row, 1);
      lp.put(budget, uniform(random, 0.5, 2));
    }
  }
  return lp.build();
}

/** All tight rows and bounds in one dense system, by Gauss and Jordan. */
function plainVertex(program: LinearProgram, point: Float64Array): Float64Array {
  const width = point.length;
  const rows: Float64Array[] = [];
  const tight = (activity: number, side: number, fill: (row: Float64Array) => void): void => {
    if (!(Math.abs(activity - side) <= 1e-7)) return;
    const row = new Float64Array(width + 1);
    fill(row);
    row[width] = side;
    rows.push(row);
  };
  point.forEach((value, j) => {
    for (const side of [program.lower[j]!, program.upper[j]!]) {
      tight(value, side, (row) => {
        row[j] = 1;
      });
    }
  });
  for (let r = 0; r < program.rowLower.length; r++) {
    const entries: (readonly [column: number, value: number])[] = [];
    for (let j = 0; j < width; j++) {
      for (let k = program.columnStart[j]!; k < program.columnStart[j + 1]!; k++) {
        if (program.rowIndex[k] === r) entries.push([j, program.value[k]!]);
      }
    }
    const activity = entries.reduce((sum, [j, value]) => sum + value * point[j]!, 0);
    for (const side of new Set([program.rowLower[r]!, program.rowUpper[r]!])) {
      tight(activity, side, (row) => {
        for (const [j, value] of entries) row[j] = value;
      });
    }
  }
  for (let column = 0; column < width; column++) {
    let pivot = column;
    for (let r = column; r < rows.length; r++) {
      if (Math.abs(rows[r]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = r;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const lead = rows[column]!;
    rows.forEach((row, r) => {
      const factor = row[column]! / lead[column]!;
      if (r === column || factor === 0) return;
      for (let c = 0; c <= width; c++) row[c]! -= factor * lead[c]!;
    });
  }
  return Float64Array.from(point, (_, j) => rows[j]![width]! / rows[j]![j]!);
}

test('the vertex is where all tight limits meet, on 150 random programs', async () => {
  const solve = await openEngine('highs');
  for (let seed = 0; seed < 150; seed++) {
    const program = shipments(seed);
    const answer = solve(program);
    expect(answer.status, `seed ${seed}`).toBe('optimal');
    const vertex = vertexAt(program, answer.columns);
    expect(vertex, `seed ${seed}`).not.toBeNull();
    plainVertex(program, answer.columns).forEach((value, j) => {
      expect(Math.abs(vertex![j]! - value), `seed ${seed}, column ${j}`).toBeLessThan(1e-9);
    });
  }
});

test('a point inside a face has no vertex', () => {
  const lp = new ProgramBuilder(); // x + y = 1, y + z = 1, z + w = 1
  const rows = [0, 1, 2].map(() => lp.row(1, 1));
  for (let j = 0; j < 4; j++) {
    lp.column(0, 0, 1);
    if (j > 0) lp.put(rows[j - 1]!, 1);
    if (j < 3) lp.put(rows[j]!, 1);
  }
  const program = lp.build();
  expect(vertexAt(program, Float64Array.of(0.5, 0.5, 0.5, 0.5))).toBeNull();
  expect(vertexAt(program, Float64Array.of(1, 0, 1, 0))).toEqual(Float64Array.of(1, 0, 1, 0));
});
