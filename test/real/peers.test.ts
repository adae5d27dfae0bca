/** The corpus solved by solvers that share nothing with ours but the file: native glpsol and native HiGHS, beside
 *  HiGHS and glpk.js as the control plane runs them. Every answer has to convince the runtime's own certificate. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ProgramBuilder } from '../../runtime/lp/builder.ts';
import { certify, objectiveOf } from '../../runtime/lp/certify.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import type { EngineAnswer, LinearProgram } from '../../runtime/lp/problem.ts';
import { corpus } from '../peers/corpus.ts';
import { mpsOf } from '../peers/mps.ts';
import { findGlpsol, findPackage, solveWithGlpsol, solveWithHighspy } from '../peers/native.ts';
import { certifiedHere, installedEngines } from '../scene.ts';
import { removeLater } from './scratch.ts';

const [glpsol, highspy] = [findGlpsol(), findPackage('highspy')];
for (const { name, absent } of [glpsol, highspy]) {
  if (absent !== null) process.stdout.write(`skipped: ${name} on the corpus: ${absent}\n`);
}

/** Tight, as in the control plane; all else is the maker's choice, presolve among it. */
const highsTolerances = { primal_feasibility_tolerance: 1e-9, dual_feasibility_tolerance: 1e-9 };

const dir = removeLater();

function writeFiles(name: string, programs: readonly LinearProgram[]): readonly string[] {
  return programs.map((program, i) => {
    const file = join(dir, `${name}-${i}.mps`);
    writeFileSync(file, mpsOf(program));
    return file;
  });
}

describe('on the corpus', () => {
  let names: readonly string[];
  let programs: readonly LinearProgram[];
  let files: readonly string[];
  let minima: readonly number[];

  beforeAll(async () => {
    const instances = await corpus(await certifiedHere('highs'));
    expect(instances.length).toBeGreaterThanOrEqual(200);
    names = instances.flatMap(({ name, programs }) => programs.map((_, p) => `${name}, program ${p}`));
    programs = instances.flatMap((instance) => instance.programs);
    files = writeFiles('corpus', programs);
    const highs = await openEngine('highs');
    minima = certified(
      programs.map((program) => highs(program)),
      'highs',
    );
    process.stdout.write(`${instances.length} instances, ${programs.length} programs\n`);
  });

  /** The objective of each answer. */
  function certified(answers: readonly EngineAnswer[], who: string): readonly number[] {
    return answers.map((answer, i) => {
      expect(certify(programs[i]!, answer), `${who}: ${names[i]}`).toMatchObject({ kind: 'certified' });
      return objectiveOf(programs[i]!, answer.columns);
    });
  }

  function expectAgreement(answers: readonly EngineAnswer[], who: string): void {
    const differences = certified(answers, who).map((objective, i) => {
      const minimum = minima[i]!;
      const difference = Math.abs(objective - minimum) / Math.max(1, Math.abs(minimum));
      expect(difference, `${who}: ${names[i]}`).toBeLessThanOrEqual(1e-7);
      return difference;
    });
    const worst = differences.reduce((a, b) => Math.max(a, b));
    process.stdout.write(`${who}: objectives within ${worst.toExponential(1)} of HiGHS in WebAssembly\n`);
  }

  test('glpk.js finds the minimum that HiGHS finds', async ({ skip }) => {
    if (!(await installedEngines()).includes('glpk')) skip();
    const glpk = await openEngine('glpk');
    expectAgreement(
      programs.map((program) => glpk(program)),
      'glpk.js',
    );
  });

  test.skipIf(glpsol.absent !== null)('native glpsol finds it too', () => {
    // Its tolerance for prices cannot be set: it is asked in smaller money, as glpk.js is (runtime/lp/glpk.ts).
    const perCost = 1024;
    const dearer = programs.map((program) => ({ ...program, cost: program.cost.map((cost) => perCost * cost) }));
    const answers = solveWithGlpsol(writeFiles('corpus-glpsol', dearer));
    expectAgreement(
      answers.map((answer) => ({ ...answer, rowDuals: answer.rowDuals.map((dual) => dual / perCost) })),
      'glpsol',
    );
  });

  test.skipIf(highspy.absent !== null)('native HiGHS finds it too', () => {
    expectAgreement(solveWithHighspy(files, highsTolerances), 'highspy');
  });
});

/** One row of each sense, a range that binds at either end, a fixed and an open column. */
function everyKindOfRow(sign: 1 | -1): LinearProgram {
  const lp = new ProgramBuilder();
  const ranged = lp.row(1.1, 2.7);
  const atLeast = lp.row(1 / 3, Number.POSITIVE_INFINITY);
  const atMost = lp.row(Number.NEGATIVE_INFINITY, 7);
  const exactly = lp.row(0.1, 0.1);
  lp.column(sign, 0.25, 9); // x
  lp.put(ranged, 1);
  lp.put(atLeast, -1);
  lp.column(1, 0, Number.POSITIVE_INFINITY); // y
  lp.put(atLeast, 1);
  lp.put(atMost, 1);
  lp.column(-2, 0.1, 0.1); // z
  lp.put(ranged, 3);
  lp.put(exactly, 1);
  return lp.build();
}

describe('a file says what the program says', () => {
  const programs = [everyKindOfRow(1), everyKindOfRow(-1)];
  // x = 0.8 or 2.4 at the range's ends, y = x + 1/3, z = 0.1; the second objective does not depend on x but by y.
  const minima = [0.8 + 0.8 + 1 / 3 - 0.2, 1 / 3 - 0.2];

  test.skipIf(glpsol.absent !== null)('to glpsol', () => {
    check(solveWithGlpsol(writeFiles('kinds-glpsol', programs)));
  });

  test.skipIf(highspy.absent !== null)('to HiGHS', () => {
    check(solveWithHighspy(writeFiles('kinds-highspy', programs), highsTolerances));
  });

  function check(answers: readonly EngineAnswer[]): void {
    answers.forEach((answer, i) => {
      expect(certify(programs[i]!, answer)).toMatchObject({ kind: 'certified' });
      expect(objectiveOf(programs[i]!, answer.columns)).toBeCloseTo(minima[i]!, 9);
    });
  }
});
