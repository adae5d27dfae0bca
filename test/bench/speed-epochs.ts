/** Epochs of a seeded world of one size in a process of its own, so that its memory and its compiled code are its own:
 *  `node dist/test/bench/speed-epochs.js EDGES DATACENTERS SERVICES EPOCHS [MPS FILE]` prints one line of JSON. The program
 *  of what the last epoch wants goes into MPS FILE, and an epoch's two programs as textbooks have them into MPS FILE.level
 *  and MPS FILE.nearness. The demand of an epoch drifts by a fifth over a day and has 2 % of noise on it. */

import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { seededRandom } from '../../config/random.ts';
import { quantile } from '../../pipeline/replay/quantile.ts';
import { type CarriedState, freshState, retainedFractions } from '../../runtime/guards.ts';
import type { RuntimeInputs } from '../../runtime/inputs.ts';
import { openSolver } from '../../runtime/io/solver-host.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import type { LinearProgram, RowPrices, Solver } from '../../runtime/lp/problem.ts';
import { buildGroupModel } from '../../runtime/model.ts';
import { formulate } from '../../runtime/placement.ts';
import { type SolveStep, solveGroup } from '../../runtime/solve.ts';
import { openBareHighs } from '../peers/bare-highs.ts';
import { mpsOf } from '../peers/mps.ts';
import { inputsOf, policyOf, topologyOf, uniform } from '../scene.ts';
import { type Phase, sampledPhases } from './phases.ts';

/** CPU ms, this process's threads together. */
export interface SpeedRun {
  readonly columns: number; // of the whole program of what is wanted
  readonly written: number; // of the largest that a warm epoch asks for, a median
  readonly coldMs: readonly number[]; // first epochs, nothing known
  readonly restartMs: readonly number[]; // epochs of a world in service whose prices are lost
  readonly warmMs: readonly number[];
  readonly phases: Readonly<Record<Phase, number>>; // share of warm epochs' time in this thread
  readonly waitMs: { readonly cold: number; readonly warm: number }; // what others wait for this thread at most, medians
  readonly highsMs: number; // what HiGHS itself computes for the programs of a warm epoch
  readonly rssMb: { readonly early: number; readonly late: number; readonly most: number };
}

const rounds = 5; // of what is told as a median
const warmingEpochs = 400; // or half of all: code is compiled (200 x 10 takes half as much again until then), and the heap finds its size; a control plane runs for weeks
const room = 1.5; // capacity over demand
const driftPerDay = 0.2;
const noise = 0.02;
const epochsPerDay = 288;

if (process.argv[1] === import.meta.filename) {
  const [edges, datacenters, services, epochs] = process.argv.slice(2, 6).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const run = await speedOf({ edges, datacenters, services, epochs, mpsFile: process.argv[6] ?? null });
  process.stdout.write(`${JSON.stringify(run)}\n`);
  process.exit();
}

interface Size {
  readonly edges: number;
  readonly datacenters: number;
  readonly services: number;
  readonly epochs: number;
  readonly mpsFile: string | null; // where the last epoch's programs go
}

async function speedOf(size: Size): Promise<SpeedRun> {
  const world = seededWorld(size);
  const host = await openSolver('highs');
  const asked: { readonly program: LinearProgram; readonly prices: RowPrices | undefined }[] = [];
  const noting: Solver = {
    name: 'highs',
    solve: (program, prices) => {
      asked.push({ program, prices });
      return host.solve(program, prices);
    },
  };
  const refuse = ({ why }: { readonly why: string }): void => {
    throw new Error(`not certified: ${why}`);
  };
  const solve = certifiedBy([noting], refuse);
  let wanted: SolveStep | null = null;
  const note = (step: SolveStep): void => {
    if (step.kind === 'want') wanted = step;
  };
  const plan = async (services: readonly RuntimeInputs[], before: readonly CarriedState[]) => {
    asked.length = 0;
    const startMs = cpuMs();
    const decisions = await solveGroup(services, before, solve, note);
    return { decisions, ms: cpuMs() - startMs };
  };

  const unknown = Array.from({ length: size.services }, () => freshState);
  const coldMs: number[] = [];
  for (let i = 0; i < rounds; i++) coldMs.push((await plan(world(i, null), unknown)).ms);

  let served: readonly RuntimeInputs['served'][] | null = null;
  let carried: readonly CarriedState[] = unknown;
  /** Plans an epoch and serves what it decides. Returns what it costs. */
  const live = async (epoch: number, inputs = world(epoch, served)): Promise<number> => {
    const { decisions, ms } = await plan(inputs, carried);
    served = decisions.map((one, s) => (one.kind === 'move' ? one.wanted : (inputs[s]!.served ?? null)));
    carried = decisions.map((one) => one.carried);
    return ms;
  };
  const warmMs: number[] = [];
  const restartMs: number[] = [];
  const rss: number[] = [];
  const written: number[] = [];
  for (let epoch = 0; epoch < size.epochs; epoch++) {
    const inputs = world(epoch, served);
    if (epoch >= size.epochs - rounds) {
      const forgetful = carried.map(({ prices: _, ...kept }) => kept);
      restartMs.push((await plan(inputs, forgetful)).ms);
    }
    const ms = await live(epoch, inputs);
    if (epoch >= Math.min(warmingEpochs, size.epochs / 2)) warmMs.push(ms);
    written.push(asked.reduce((most, { program }) => Math.max(most, program.cost.length), 0));
    rss.push(process.memoryUsage.rss() / 1e6);
  }
  // The first third goes into compiling, and into the heap's young generation finding its size.
  const rssMb = { early: mean(rss.slice(rss.length / 3, rss.length / 2)), late: mean(rss.slice(-rss.length / 10)) };
  const most = process.resourceUsage().maxRSS / 1000;
  const highsMs = await highsAlone(asked);
  const { program: whole } = wanted!.placement.whole();
  const [cold, warm]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) cold.push(await longestWait(() => plan(world(i, null), unknown)));
  for (let i = 0; i < rounds; i++) warm.push(await longestWait(() => plan(world(size.epochs, served), carried)));
  const waitMs = { cold: quantile(cold, 0.5), warm: quantile(warm, 0.5) };
  const phases = await sampledPhases(async () => {
    for (let epoch = size.epochs; epoch < 1.5 * size.epochs; epoch++) await live(epoch);
  });
  await host.close();
  if (size.mpsFile !== null) {
    writeFileSync(size.mpsFile, mpsOf(whole));
    const [level, nearness] = textbookPrograms(world(size.epochs, null));
    writeFileSync(`${size.mpsFile}.level`, mpsOf(level));
    writeFileSync(`${size.mpsFile}.nearness`, mpsOf(nearness));
  }
  return {
    columns: whole.cost.length,
    written: quantile(written, 0.5),
    coldMs,
    restartMs,
    warmMs,
    phases,
    waitMs,
    highsMs,
    rssMb: { ...rssMb, most },
  };
}

/** What an epoch comes to for a solver that starts from nothing: the level, then the least latency near it, fraction by
 *  fraction, no edge summed with another and nothing counted from what is served. */
function textbookPrograms(services: readonly RuntimeInputs[]): readonly [LinearProgram, LinearProgram] {
  const { topology, states } = services[0]!;
  const retained = retainedFractions(freshState, topology, states);
  const built = buildGroupModel(services.map((inputs) => ({ inputs, retained })));
  if (built.kind !== 'model') throw new Error(`no model: ${built.edge}`);
  const { model } = built;
  const levelMax = new Float64Array(model.capacity.length).fill(Number.NaN);
  const near = levelMax.map(() => 1 / room + 0.005);
  return [
    formulate(model, { limits: null, levelMax, seek: 'level' }).program,
    formulate(model, { limits: null, levelMax: near, seek: 'nearness' }).program,
  ];
}

/** CPU ms of the runs for one epoch's programs, a median. */
async function highsAlone(
  asked: readonly { readonly program: LinearProgram; readonly prices: RowPrices | undefined }[],
): Promise<number> {
  const bare = await openBareHighs();
  const times: number[] = [];
  for (let i = 0; i < 2 * rounds; i++)
    times.push(asked.reduce((sum, { program, prices }) => sum + bare(program, prices), 0));
  return quantile(times.slice(rounds), 0.5);
}

/** Wall ms that a timer of this thread is late while `work` runs, at most. */
async function longestWait(work: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await setTimeout(5);
  delays.reset();
  await work();
  await setTimeout(5); // the last wait is known once it is over
  delays.disable();
  return delays.max / 1e6;
}

/** Inputs of an epoch, [service]. */
function seededWorld({ edges, datacenters, services }: Size) {
  const random = seededRandom(1);
  const places = (count: number) => Array.from({ length: count }, () => ({ x: random(), y: random() }));
  const [edgeAt, datacenterAt] = [places(edges), places(datacenters)];
  const usual = Array.from({ length: services }, () => edgeAt.map(() => 10 ** uniform(random, 0, 1.5)));
  const total = usual.flat().reduce((a, b) => a + b, 0);
  const sizes = datacenterAt.map(() => uniform(random, 0.2, 1));
  const all = sizes.reduce((a, b) => a + b, 0);
  const topology = topologyOf(
    edges,
    sizes.map((share) => (share / all) * room * total),
    (e, d) => 2 + 150 * Math.hypot(edgeAt[e]!.x - datacenterAt[d]!.x, edgeAt[e]!.y - datacenterAt[d]!.y),
  );
  const policy = policyOf();
  return (epoch: number, served: readonly RuntimeInputs['served'][] | null): readonly RuntimeInputs[] => {
    const chance = seededRandom(1000 + epoch);
    return usual.map((rps, s) => {
      const demand = rps.map((mean, e) => {
        const drift = driftPerDay * Math.sin(2 * Math.PI * (epoch / epochsPerDay + edgeAt[e]!.x));
        return mean * (1 + drift) * uniform(chance, 1 - noise, 1 + noise);
      });
      return inputsOf(topology, demand, { policy, served: served?.[s] ?? null });
    });
  };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}
