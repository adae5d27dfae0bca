/** Our engines beside others on the same problems, `npm run bench -- peers`: a cold epoch of the shared world by HiGHS and
 *  glpk.js in this process, by native HiGHS and native glpsol from files; and the paper's placement by our linear programs
 *  and by Meta's Rebalancer. Times are CPU time, so that a busy machine shows less, and told, not promised. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWorld } from '../../config/load.ts';
import type { World } from '../../config/world.ts';
import { quantile } from '../../pipeline/replay/quantile.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import { freshState } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { utilizationOf } from '../../runtime/judge.ts';
import { certifiedBy, type SolveCertified } from '../../runtime/lp/certified.ts';
import { openEngine } from '../../runtime/lp/engines.ts';
import type { LinearProgram } from '../../runtime/lp/problem.ts';
import { solveFractions } from '../../runtime/solve.ts';
import { openBareHighs } from '../peers/bare-highs.ts';
import { mpsOf } from '../peers/mps.ts';
import {
  findGlpsol,
  findPackage,
  type HighsOptions,
  solveWithHighspy,
  solveWithRebalancer,
  timeGlpsol,
} from '../peers/native.ts';
import { inputsOf, installedEngines, policyOf } from '../scene.ts';
import type { Figure } from './figure.ts';

const programsWanted = 50;
const passes = 5;
const firstStep = 144; // noon of the week's first day, UTC

/** Null where the data is absent. */
export async function peersFigures(dataDir: string): Promise<Figure[] | null> {
  const worldDir = join(dataDir, 'world');
  if (!existsSync(worldDir)) return null;
  const scratch = mkdtempSync(join(tmpdir(), 'taiji-bench-'));
  try {
    const world = readWorld(worldDir);
    const highs = await openEngine('highs');
    const solve = certifiedBy([{ name: 'highs', solve: async (program) => highs(program) }], () => {});
    const epochs = await recordedEpochs(world, solve);
    const programs = epochs.flatMap((epoch) => epoch.programs).slice(0, programsWanted);
    const files = programs.map((program, i) => {
      const file = join(scratch, `${i}.mps`);
      writeFileSync(file, mpsOf(program));
      return file;
    });
    return [
      ...(await timesInProcess(programs)),
      ...timesFromFiles(files),
      ...(await epochFigures(epochs)),
      ...(await placementFigures(world, solve, scratch)),
    ];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Epoch {
  readonly inputs: RuntimeInputs;
  readonly programs: readonly LinearProgram[];
}

/** Epochs in a row under the default policy, each from what the one before wanted. */
async function recordedEpochs(world: World, solve: SolveCertified): Promise<readonly Epoch[]> {
  const edges = world.topology.edges.length;
  const epochs: Epoch[] = [];
  let served: FractionMatrix | null = null;
  for (let step = firstStep, count = 0; count < programsWanted; step++) {
    const demandRps = world.demand.rps.slice(step * edges, (step + 1) * edges);
    const inputs: RuntimeInputs = inputsOf(world.topology, [...demandRps], { served });
    const programs: LinearProgram[] = [];
    const decision = await solveFractions(inputs, freshState, (program) => {
      programs.push(program);
      return solve(program);
    });
    if (decision.kind === 'held') throw new Error('an epoch of the shared world is held');
    if (decision.kind === 'move') served = decision.wanted;
    epochs.push({ inputs, programs });
    count += programs.length;
  }
  return epochs;
}

async function timesInProcess(programs: readonly LinearProgram[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const columns = quantile(
    programs.map((program) => program.cost.length),
    0.5,
  );
  for (const engine of await installedEngines()) {
    const solve = await openEngine(engine);
    for (const program of programs) solve(program); // warm
    const ms = medianOf(passes, () => timed(() => programs.forEach((program) => void solve(program))));
    const who = engine === 'highs' ? 'HiGHS in WebAssembly' : 'glpk.js';
    figures.push(told(`cold solve, ${columns} columns, ${who}`, `${(ms / programs.length).toFixed(2)} ms`));
  }
  return figures;
}

/** As the control plane sets it, and as it comes but for the tolerances. */
const tolerances: HighsOptions = { primal_feasibility_tolerance: 1e-9, dual_feasibility_tolerance: 1e-9 };
const highspyOptions: Readonly<Record<string, HighsOptions>> = {
  'native HiGHS, options as ours': { ...tolerances, solver: 'simplex', presolve: 'off' },
  'native HiGHS, options as it comes': tolerances,
};

function timesFromFiles(files: readonly string[]): readonly Figure[] {
  const each = (ms: number): string => `${(ms / files.length).toFixed(2)} ms`;
  const [highspy, glpsol] = [findPackage('highspy'), findGlpsol()];
  const figures: Figure[] = [];
  for (const [who, options] of Object.entries(highspyOptions)) {
    const time = (): number => solveWithHighspy(files, options).reduce((sum, { solveMs }) => sum + solveMs, 0);
    figures.push(told(`cold solve, ${who}`, highspy.absent ?? each(medianOf(passes, time))));
  }
  const glpsolTime = glpsol.absent ?? each(medianOf(passes, () => timeGlpsol(files)));
  return [...figures, told('cold solve, native glpsol', glpsolTime)];
}

/** A whole cold epoch, by our own steps where they end, and HiGHS alone for the same programs. */
async function epochFigures(epochs: readonly Epoch[]): Promise<readonly Figure[]> {
  const engine = await openEngine('highs');
  const bare = await openBareHighs();
  const solve = certifiedBy([{ name: 'highs', solve: async (program) => engine(program) }], () => {});
  const programs = epochs.flatMap((epoch) => epoch.programs);
  const wholes: number[] = [];
  const bares: number[] = [];
  for (let pass = 0; pass <= passes; pass++) {
    const startMs = cpuMs();
    for (const { inputs } of epochs) await solveFractions(inputs, freshState, solve);
    const wholeMs = cpuMs() - startMs;
    const bareMs = programs.reduce((sum, program) => sum + bare(program), 0);
    if (pass === 0) continue; // it warms
    wholes.push(wholeMs / epochs.length);
    bares.push(bareMs / epochs.length);
  }
  const each = (programs.length / epochs.length).toFixed(1);
  return [
    told('a cold epoch of the shared world', `${quantile(wholes, 0.5).toFixed(1)} ms for ${each} programs`),
    told('its programs by HiGHS alone, nothing built or certified', `${quantile(bares, 0.5).toFixed(1)} ms`),
  ];
}

const units = 20;
const solveSecondsMax = 60;
const gapMax = 1e-3;

/** The lowest highest utilization, then the least squared RTT, of one epoch without a table. */
async function placementFigures(world: World, solve: SolveCertified, scratch: string): Promise<readonly Figure[]> {
  const { topology, demand } = world;
  const [edges, datacenters] = [topology.edges.length, topology.datacenters.length];
  const demandRps = demand.rps.slice(firstStep * edges, (firstStep + 1) * edges);
  const policy = policyOf({ guards: { balanceTolerance: 0 } });
  const inputs = inputsOf(topology, [...demandRps], { policy });
  let fractions: FractionMatrix | null = null;
  const ms = await medianOfAsync(passes, async () => {
    const startMs = cpuMs();
    const decision = await solveFractions(inputs, freshState, solve);
    if (decision.kind === 'move') fractions = decision.solved;
    return cpuMs() - startMs;
  });
  if (!fractions) throw new Error('the first epoch of the shared world moves nothing');
  const shown = (placed: FractionMatrix, solveMs: number): string => {
    const highest = Math.max(...utilizationOf(topology, Float64Array.from(demandRps), placed));
    const total = demandRps.reduce((a, b) => a + b, 0);
    const squared = placed.reduce((sum, share, i) => {
      const rttMs = topology.rttMs[i]!;
      return sum + ((share * demandRps[Math.floor(i / datacenters)]!) / total) * rttMs * rttMs;
    }, 0);
    return `highest utilization ${highest.toFixed(6)}, squared RTT ${squared.toFixed(1)} ms², ${(solveMs / 1000).toFixed(3)} s of CPU`;
  };
  const figures = [told('placement by our programs', shown(fractions, ms))];
  const rebalancer = findPackage('rebalancer');
  if (rebalancer.absent !== null) return [...figures, told('placement by Rebalancer', rebalancer.absent)];
  for (const solver of ['local-search', 'highs'] as const) {
    const { held, solveMs, found } = solveWithRebalancer(
      {
        demand: [...demandRps],
        capacity: topology.datacenters.map(({ capacityRps }) => capacityRps),
        rttMs: topology.edges.map((_, e) => [...topology.rttMs.slice(e * datacenters, (e + 1) * datacenters)]),
        units,
        solver,
        solveSecondsMax,
        gapMax,
      },
      join(scratch, `${solver}.json`),
    );
    const placed = Float64Array.from(held.flat(), (count) => count / units);
    const outcome = found ? shown(placed, solveMs) : `nothing found in ${solveSecondsMax} s`;
    const who = solver === 'highs' ? `HiGHS to a gap of ${gapMax}` : 'local search';
    figures.push(told(`placement by Rebalancer, ${edges * units} units, ${who}`, outcome));
  }
  return figures;
}

/** What this process has computed so far. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function timed(work: () => void): number {
  const startMs = cpuMs();
  work();
  return cpuMs() - startMs;
}

function medianOf(count: number, measure: () => number): number {
  return quantile(Array.from({ length: count }, measure), 0.5);
}

async function medianOfAsync(count: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await measure());
  return quantile(values, 0.5);
}

function told(what: string, measured: string): Figure {
  return { what, measured, limit: '', holds: true };
}
