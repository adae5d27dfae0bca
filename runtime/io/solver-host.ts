/** An engine in a worker thread behind the Solver interface, watched. Node 20 cannot start a `.ts` worker, so the built
 *  entry is always the one that runs, from the sources too.
 *
 *  The worker is asked what the steps taken in this thread (`lp/dual-simplex.ts`) do not answer. Between those others have
 *  their turn.
 *
 *  There is no clock inside a solve, for a limit there would make what it finds depend on the machine. A worker that runs
 *  away, in time or in memory, is ended from outside and replaced; its program counts as failed, and the second engine is
 *  asked. Nothing in Node bounds what WebAssembly may allocate (`resourceLimits` are of the JavaScript heap), so the watch
 *  looks at what the process grows by while a program is solved. */

import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '../../config/errors.ts';
import { builtFile } from '../../config/io/built.ts';
import type { Steps } from '../lp/dual-simplex.ts';
import { conversationAsking, solvedHere } from '../lp/engines.ts';
import type { EngineAnswer, EngineName, LinearProgram, RowPrices, Solver } from '../lp/problem.ts';
import type { Question } from '../lp/sift.ts';

export interface SolverHost extends Solver {
  close(): Promise<void>;
}

export interface SolverLimits {
  readonly solveMsMax: number; // wall time of one program
  readonly growthMbMax: number; // of the process's memory while it is solved
  readonly turnMs: number; // others wait this long for the thread that steps are taken in
  readonly entry: string; // the worker's file; another one in tests, which is asked about everything
  readonly onEnded: (message: string) => void; // a worker ended before its time
}

const solverLimits: Omit<SolverLimits, 'entry'> = {
  solveMsMax: 60_000,
  growthMbMax: 1536,
  turnMs: 40,
  onEnded: () => {},
};

interface Reply {
  readonly answer?: EngineAnswer;
  readonly failure?: string;
  readonly ready?: boolean;
}

const failed: EngineAnswer = { status: 'failed', columns: new Float64Array(0), rowDuals: new Float64Array(0) };
const watchMs = 200;
const lookAgainMs = 1000; // asking the system how large the process is takes as long as a small program

/** Resolves once the engine is warm; rejects with a ConfigError where its package is missing. One program is solved at a
 *  time. A worker that dies answers `failed`, and another takes the next program. */
export async function openSolver(engine: EngineName, limits: Partial<SolverLimits> = {}): Promise<SolverHost> {
  const { solveMsMax, growthMbMax, turnMs, entry, onEnded } = { ...solverLimits, entry: workerEntry(), ...limits };
  const asksAlways = limits.entry !== undefined;
  let worker: Worker | null = await start(engine, entry);
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  let [usualBytes, lookedMs] = [0, Number.NEGATIVE_INFINITY]; // of the process, while nothing runs away

  /** Ends in time, whatever the worker does. Null: it had to be ended. */
  const answerTo = async (question: Question): Promise<EngineAnswer | null> => {
    if (closed) return null;
    worker ??= await start(engine, entry).catch(() => null);
    if (!worker) return null;
    if (performance.now() - lookedMs >= lookAgainMs) {
      lookedMs = performance.now();
      usualBytes = process.memoryUsage.rss();
    }
    const said = await ask(worker, question, usualBytes, { solveMsMax, growthMbMax });
    if (said.kind === 'reply') return said.reply.answer ?? failed;
    const ended = worker;
    worker = null;
    await ended.terminate();
    if (closed) return null;
    onEnded(`${engine}: ${said.why}`);
    worker = await start(engine, entry).catch(() => null); // warm again before it is needed
    return null;
  };
  const solveOne = async (program: LinearProgram, prices?: RowPrices): Promise<EngineAnswer> => {
    if (closed) return failed;
    const found = asksAlways ? null : await unhurried(solvedHere(engine, program, prices), turnMs);
    if (found) return found;
    const conversation = conversationAsking(engine, program, prices);
    let said = conversation.next();
    while (!said.done) {
      const answer = await answerTo(said.value);
      if (!answer) return failed;
      said = conversation.next(answer);
    }
    return said.value;
  };
  return {
    name: engine,
    solve: (program, prices) => {
      const answer = last.then(() => solveOne(program, prices));
      last = answer;
      return answer;
    },
    close: async () => {
      closed = true;
      worker?.ref();
      await worker?.terminate();
    },
  };
}

let lastTurnMs = Number.NEGATIVE_INFINITY;

/** Whoever else waits for this thread (a scrape, an edge's poll) has a turn between steps, once it has waited for so long. */
async function unhurried(steps: Steps, turnMs: number): Promise<EngineAnswer | null> {
  for (;;) {
    if (performance.now() - lastTurnMs >= turnMs) {
      await setImmediate();
      lastTurnMs = performance.now();
    }
    const said = steps.next();
    if (said.done) return said.value;
  }
}

async function start(engine: EngineName, entry: string): Promise<Worker> {
  const worker = new Worker(entry, { workerData: { engine } });
  worker.on('error', () => {}); // one that dies between two programs is noticed by the next
  const said = await next(worker, 0, () => null);
  if (said.kind === 'lost') throw new ConfigError(`solver "${engine}" is not available: ${said.why}`);
  if (!said.reply.ready) {
    throw new ConfigError(`solver "${engine}" is not available: ${said.reply.failure}; install it`);
  }
  worker.unref();
  return worker;
}

async function ask(
  worker: Worker,
  question: Question,
  usualBytes: number,
  { solveMsMax, growthMbMax }: Pick<SolverLimits, 'solveMsMax' | 'growthMbMax'>,
): Promise<Said> {
  const startMs = performance.now();
  worker.ref(); // the process stays until it has its answer
  worker.postMessage(question);
  const said = await next(worker, Math.min(watchMs, solveMsMax), () => {
    if (performance.now() - startMs >= solveMsMax) return `no answer within ${solveMsMax} ms`;
    const growthMb = (process.memoryUsage.rss() - usualBytes) / 1e6;
    return growthMb > growthMbMax ? `it took more than ${growthMbMax} MB` : null;
  });
  worker.unref();
  return said;
}

type Said = { readonly kind: 'reply'; readonly reply: Reply } | { readonly kind: 'lost'; readonly why: string };

/** The worker's next message, or what became of it instead. `look` is asked every `lookMs` (0: never) why to wait no
 *  longer. */
function next(worker: Worker, lookMs: number, look: () => string | null): Promise<Said> {
  return new Promise((resolve) => {
    const timer = lookMs > 0 ? setInterval(() => giveUp(look()), lookMs) : undefined;
    const end = (said: Said): void => {
      clearInterval(timer);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      resolve(said);
    };
    const giveUp = (why: string | null): void => {
      if (why !== null) end({ kind: 'lost', why });
    };
    const onMessage = (reply: Reply): void => end({ kind: 'reply', reply });
    const onError = (error: Error): void => giveUp(`its worker failed (${error.message})`);
    const onExit = (code: number): void => giveUp(`its worker ended with status ${code}`);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    if (worker.threadId === -1) giveUp('its worker is gone');
  });
}

function workerEntry(): string {
  const built = fileURLToPath(builtFile('runtime/io/solver-worker.js'));
  if (!existsSync(built)) throw new ConfigError(`${built} is missing; run "npm run build"`);
  return built;
}
