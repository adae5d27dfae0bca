/** Native solvers on files: glpsol (Debian package glpk-utils) and HiGHS by its Python package highspy, both as their
 *  makers ship them. Their answers come back in the runtime's form, so that the runtime's certificate judges them too. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import type { EngineAnswer } from '../../runtime/lp/problem.ts';

export interface Peer {
  readonly name: string;
  readonly absent: string | null; // why it cannot run here and what would mend that; null: it is there
}

/** The Python in which the packages are. */
export const peersPython = process.env['TAIJI_PEERS_PYTHON'] ?? 'python3';

export function findGlpsol(): Peer {
  return { name: 'glpsol', absent: runs('glpsol', ['--version']) ? null : 'no glpsol; apt-get install glpk-utils' };
}

/** A package that `peersPython` can import. */
export function findPackage(name: string): Peer {
  const there = runs(peersPython, ['-c', `import ${name}`]);
  const mend = `pip install ${name}, and set TAIJI_PEERS_PYTHON to that Python`;
  return { name, absent: there ? null : `${peersPython} has no package ${name}; ${mend}` };
}

export function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** One process a file, for it takes no more; two at a time, from a small process, for a large one forks slowly. */
export function solveWithGlpsol(files: readonly string[]): readonly EngineAnswer[] {
  const solveOne = ['glpsol', '--freemps', '{}', '--nopresol', '--write', '{}.sol'];
  execFileSync('xargs', ['-P', '2', '-I{}', ...solveOne], {
    input: files.join('\n'),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  return files.map((file) => readGlpsol(readFileSync(`${file}.sol`, 'utf8')));
}

/** CPU ms of all files together: the whole processes less others that read the files and stop. */
export function timeGlpsol(files: readonly string[]): number {
  const time = (option: string): number => {
    const command = `xargs -I{} glpsol --freemps {} ${option} >${devNull}; times`;
    const said = execFileSync('sh', ['-c', command], { input: files.join('\n'), encoding: 'utf8' });
    const children = said.trim().split('\n')[1]!; // its own user and system time, then its children's: `0m1.5s 0m0.2s`
    return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
      (sum, [, minutes, seconds]) => sum + 60_000 * Number(minutes) + 1000 * Number(seconds),
      0,
    );
  };
  return time('--nopresol') - time('--check');
}

/** Lines `s bas ROWS COLUMNS PRIMAL DUAL OBJECTIVE`, `i ROW STATUS VALUE DUAL`, `j COLUMN STATUS VALUE DUAL`. */
function readGlpsol(text: string): EngineAnswer {
  const columns: number[] = [];
  const rowDuals: number[] = [];
  let status: EngineAnswer['status'] = 'failed';
  for (const line of text.split('\n')) {
    const [kind, index, , fourth, fifth, sixth] = line.split(' ');
    if (kind === 's') status = fifth === 'f' && sixth === 'f' ? 'optimal' : 'failed';
    else if (kind === 'i') rowDuals[Number(index) - 1] = Number(fifth);
    else if (kind === 'j') columns[Number(index) - 1] = Number(fourth);
    else if (kind === 'e') break;
  }
  return { status, columns: Float64Array.from(columns), rowDuals: Float64Array.from(rowDuals) };
}

export interface TimedAnswer extends EngineAnswer {
  readonly solveMs: number; // CPU time inside HiGHS, the reading of the file left out
}

export type HighsOptions = Readonly<Record<string, string | number | boolean>>;

/** One process for all files. */
export function solveWithHighspy(files: readonly string[], options: HighsOptions): readonly TimedAnswer[] {
  const script = resolve('test/peers/solve_mps.py'); // tests and benches run at the project's root
  execFileSync(peersPython, [script, JSON.stringify(options)], {
    input: files.join('\n'),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  return files.map((file) => {
    const answer: { status: 'optimal' | 'failed'; columns: number[]; rowDuals: number[]; solveMs: number } = JSON.parse(
      readFileSync(`${file}.json`, 'utf8'),
    );
    const { status, columns, rowDuals, solveMs } = answer;
    return { status, columns: Float64Array.from(columns), rowDuals: Float64Array.from(rowDuals), solveMs };
  });
}

/** The paper's problem in equal units: the lowest highest utilization, then the least load-weighted squared RTT. */
export interface UnitsProblem {
  readonly demand: readonly number[]; // [e]
  readonly capacity: readonly number[]; // [d]
  readonly rttMs: readonly (readonly number[])[]; // [e][d]
  readonly units: number; // an edge
  readonly solver: 'local-search' | 'highs';
  readonly solveSecondsMax: number;
  readonly gapMax: number; // of HiGHS, relative
}

export interface UnitsAnswer {
  readonly held: readonly (readonly number[])[]; // [e][d] units
  readonly solveMs: number; // CPU time
  readonly found: boolean; // false: no answer in its time, and the units are where they started
}

/** Meta's Rebalancer (package `rebalancer`, for Python 3.12 and newer). `answerFile`: where it may write. */
export function solveWithRebalancer(problem: UnitsProblem, answerFile: string): UnitsAnswer {
  execFileSync(peersPython, [resolve('test/peers/rebalance.py'), answerFile], {
    input: JSON.stringify(problem),
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return JSON.parse(readFileSync(answerFile, 'utf8'));
}
