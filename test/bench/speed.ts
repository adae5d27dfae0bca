/** What an epoch of the runtime costs, `npm run bench -- speed`: CPU time of whole epochs (model, programs, engine in its
 *  worker where it is asked, certificates), warm and cold, at four sizes, beside native engines on the same program in the
 *  same run. The first epochs of a run warm up code and heap and are not counted: 400, or half of a shorter run.
 *
 *  The share promised for "build, hand over, read, certify" is of these four: building models and programs, telling them to
 *  a worker, reading placements from answers, certifying them, by samples of the planning thread (`phases.ts`). Which pairs
 *  a program is written for counts as building it, and what the others could win as its certificate. Solving is
 *  not in it, whoever does it: the dual simplex in this thread does what HiGHS did, and what HiGHS would take is told
 *  beside it. Nor is what an epoch decides before and after (is a want worth a move, what becomes of it in millionths),
 *  which is told as the rest. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantile } from '../../pipeline/replay/quantile.ts';
import { findGlpsol, findPackage, solveWithHighspy, timeGlpsol } from '../peers/native.ts';
import type { Figure } from './figure.ts';
import type { SpeedRun } from './speed-epochs.ts';

const passes = 5; // of native solvers
const bytesMax = 64 * 1024 * 1024;

interface Promised {
  readonly warmMs: number;
  readonly p99Ms?: number;
  readonly coldMs?: number;
  readonly rssMb?: number;
  readonly overGlpsol?: number; // times a warm epoch goes into a cold solve of native glpsol
  readonly ownMax: number; // share of a warm epoch's time that goes into build, hand over, read and certify
}

interface Case {
  readonly name: string;
  readonly arguments: readonly [edges: number, datacenters: number, services: number, epochs: number];
  readonly promised: Promised;
  readonly native: boolean;
}

const ownMax = 0.3;

const cases: readonly Case[] = [
  { name: '42 x 10', arguments: [42, 10, 1, 1200], promised: { warmMs: 5, p99Ms: 20, ownMax }, native: true },
  { name: '200 x 10', arguments: [200, 10, 1, 1200], promised: { warmMs: 20, overGlpsol: 10, ownMax }, native: true },
  {
    name: '100 x 20 x 10 services',
    arguments: [100, 20, 10, 200],
    promised: { warmMs: 60, coldMs: 600, overGlpsol: 40, ownMax },
    native: true,
  },
  {
    name: '300 x 40 x 20 services',
    arguments: [300, 40, 20, 24],
    promised: { warmMs: 1000, coldMs: 10_000, rssMb: 700, ownMax },
    native: false,
  },
];

export async function speedFigures(): Promise<Figure[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'taiji-speed-'));
  try {
    return [...cases.flatMap((one) => figuresOf(one, join(scratch, 'program.mps'))), ...longRun()];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function figuresOf({ name, arguments: size, promised, native }: Case, mpsFile: string): Figure[] {
  const run = runEpochs([...size.map(String), mpsFile]);
  const warmMs = quantile(run.warmMs, 0.5);
  const what = (text: string): string => `${name} (${run.columns} columns), ${text}`;
  const { build, handOver, read, certify, solve, rest } = run.phases;
  return [
    atMost(what('a warm epoch'), warmMs, promised.warmMs, ms),
    atMost(what('a warm epoch, 99th percentile'), quantile(run.warmMs, 0.99), promised.p99Ms, ms),
    atMost(what('the first epoch'), quantile(run.coldMs, 0.5), promised.coldMs, ms),
    atMost(what('an epoch after its prices were lost'), quantile(run.restartMs, 0.5), promised.coldMs, ms),
    atMost(what('memory at most'), run.rssMb.most, promised.rssMb, (mb) => `${mb.toFixed(0)} MB`),
    atMost(
      what('of a warm epoch, build, hand over, read and certify'),
      build + handOver + read + certify,
      promised.ownMax,
      percent,
    ),
    told(
      what('of a warm epoch, phase by phase'),
      `build ${percent(build)}, hand over ${percent(handOver)}, read ${percent(read)}, certify ${percent(certify)}, ` +
        `solve ${percent(solve)}, judging wants and the rest ${percent(rest)}`,
    ),
    told(what('of its columns, written down'), `${run.written.toFixed(0)}`),
    told(
      what('what others wait for the planning thread at most, wall time'),
      `${ms(run.waitMs.warm)} in a warm epoch, ${ms(run.waitMs.cold)} in the first`,
    ),
    told(what('its programs solved by HiGHS, hand over left out'), ms(run.highsMs)),
    ...(native ? nativeFigures(what, run.columns, warmMs, mpsFile, promised.overGlpsol) : []),
  ];
}

/** The epoch's programs alone, from files. */
function nativeFigures(
  what: (text: string) => string,
  columns: number,
  warmMs: number,
  file: string,
  overGlpsol: number | undefined,
): Figure[] {
  const [highspy, glpsol] = [findPackage('highspy'), findGlpsol()];
  const median = (time: () => number): number => quantile(Array.from({ length: passes }, time), 0.5);
  const simplex = (): number =>
    solveWithHighspy([file], { solver: 'simplex', presolve: 'off' }).reduce((sum, { solveMs }) => sum + solveMs, 0);
  // Its clock ticks by ten ms.
  const repeats = columns < 10_000 ? 20 : 1;
  const timed = (one: string): number => median(() => timeGlpsol(Array<string>(repeats).fill(one))) / repeats;
  const nearnessMs = glpsol.absent === null ? timed(file) : null;
  const epochMs = nearnessMs === null ? null : timed(`${file}.nearness`) + timed(`${file}.level`);
  const times = epochMs === null ? null : epochMs / warmMs;
  return [
    told(
      what('its program cold, native HiGHS'),
      highspy.absent === null ? ms(median(simplex)) : skipped(highspy.absent),
    ),
    told(what('its program cold, native glpsol'), nearnessMs === null ? skipped(glpsol.absent!) : ms(nearnessMs)),
    told(
      what('its two programs in textbook form, cold, native glpsol'),
      epochMs === null ? skipped(glpsol.absent!) : ms(epochMs),
    ),
    {
      what: what('textbook programs cold by native glpsol over a warm epoch of ours'),
      measured: times === null ? skipped(glpsol.absent!) : `${times.toFixed(1)} x`,
      limit: overGlpsol === undefined ? '' : `at least ${overGlpsol} x`,
      holds: overGlpsol === undefined || times === null || times >= overGlpsol,
    },
  ];
}

/** Is memory flat? */
function longRun(): Figure[] {
  const epochs = 5000;
  const { early, late } = runEpochs(['42', '10', '1', String(epochs)]).rssMb;
  return [
    {
      what: `memory over ${epochs} epochs of 42 x 10`,
      measured: `${early.toFixed(0)} MB after a third, ${late.toFixed(0)} MB at the end`,
      limit: 'at most a tenth more',
      holds: late <= 1.1 * early,
    },
  ];
}

function runEpochs(size: readonly string[]): SpeedRun {
  const script = join(import.meta.dirname, 'speed-epochs.js');
  const said = execFileSync(process.execPath, [script, ...size], {
    encoding: 'utf8',
    maxBuffer: bytesMax,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(said);
}

function atMost(what: string, value: number, limit: number | undefined, shown: (value: number) => string): Figure {
  if (limit === undefined) return told(what, shown(value));
  return { what, measured: shown(value), limit: `at most ${shown(limit)}`, holds: value <= limit };
}

function told(what: string, measured: string): Figure {
  return { what, measured, limit: '', holds: true };
}

function skipped(why: string): string {
  return `skipped: ${why}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}
