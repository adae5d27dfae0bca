/** An engine in a worker thread behind the Solver interface. Node 20 cannot start a `.ts` worker, so the built entry is
 *  always the one that runs, from the sources too. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '../../config/errors.ts';
import type { EngineAnswer, EngineName, LinearProgram, RowPrices, Solver } from '../lp/problem.ts';

export interface SolverHost extends Solver {
  close(): Promise<void>;
}

interface Reply {
  readonly id?: number;
  readonly answer?: EngineAnswer;
  readonly failure?: string;
  readonly ready?: boolean;
}

const failed: EngineAnswer = { status: 'failed', columns: new Float64Array(0), rowDuals: new Float64Array(0) };

/** Resolves once the engine is warm; rejects with a ConfigError where its package is missing. A worker that dies answers
 *  `failed` from then on: certification then turns to the second engine, or holds. */
export async function openSolver(engine: EngineName): Promise<SolverHost> {
  const worker = new Worker(workerEntry(), { workerData: { engine } });
  const waiting = new Map<number, (answer: EngineAnswer) => void>();
  let nextId = 0;
  let alive = true;
  const giveUp = (): void => {
    alive = false;
    for (const resolve of waiting.values()) resolve(failed);
    waiting.clear();
  };
  await new Promise<void>((resolve, reject) => {
    worker.on('message', ({ id, answer, failure, ready }: Reply) => {
      if (ready === true) resolve();
      else if (ready === false) reject(new ConfigError(`solver "${engine}" is not available: ${failure}; install it`));
      else if (id !== undefined) {
        waiting.get(id)?.(answer ?? failed);
        waiting.delete(id);
      }
    });
    worker.on('error', (error) => {
      reject(error);
      giveUp();
    });
    worker.on('exit', giveUp);
  });
  worker.unref();
  return {
    name: engine,
    solve: (program: LinearProgram, prices?: RowPrices) =>
      new Promise((resolve) => {
        if (!alive) return resolve(failed);
        const id = nextId++;
        worker.ref();
        waiting.set(id, (answer) => {
          // Not once it is closing: the process must stay until it has.
          if (waiting.size <= 1 && alive) worker.unref();
          resolve(answer);
        });
        worker.postMessage({ id, program, prices });
      }),
    close: async () => {
      alive = false;
      worker.ref();
      await worker.terminate();
    },
  };
}

function workerEntry(): string {
  const here = fileURLToPath(import.meta.url);
  const built = here.endsWith('.ts')
    ? fileURLToPath(new URL('../../dist/runtime/io/solver-worker.js', import.meta.url))
    : fileURLToPath(new URL('./solver-worker.js', import.meta.url));
  if (!existsSync(built)) throw new ConfigError(`${built} is missing; run "npm run build"`);
  return built;
}
