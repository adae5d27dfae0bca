/** Threads that bisect parts of the social graph. The built entry is started, also from the sources: Node 20 cannot run
 *  TypeScript in a worker. */

import assert from 'node:assert';
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '../../config/errors.ts';
import { builtFile } from '../../config/io/built.ts';
import type { Graph } from '../multilevel/graph.ts';
import type { BisectionPlan } from '../recursive-bisection.ts';
import type { TreePlace } from '../searches.ts';

export interface BisectTask {
  readonly kind: 'halves' | 'subtree'; // one bisection; all down to the leaves: [node] = leaf
  readonly part: Graph;
  readonly place: TreePlace;
  readonly plan: BisectionPlan;
}

/** Of one bisection: [node] = side, and the graph on either side. */
export interface Halved {
  readonly side: Uint8Array;
  readonly halves: readonly [Graph, Graph];
}

/** Tasks wait for a free thread, in order. The part is handed over: its arrays are empty here from then on, for of a large
 *  graph there is no room for copies. */
export interface WorkerPool {
  bisect(part: Graph, place: TreePlace, plan: BisectionPlan): Promise<Halved>;
  /** [node of part] = leaf. */
  bisectRecursively(part: Graph, place: TreePlace, plan: BisectionPlan): Promise<Uint32Array>;
  /** Ends the threads, whatever they are at. */
  close(): Promise<void>;
}

interface Waiting {
  readonly task: BisectTask;
  readonly done: (result: unknown) => void;
  readonly failed: (error: Error) => void;
}

/** `bisectedMax`: as for `compiledSearches`. Throws a ConfigError where the program has not been built, or the system allows
 *  no more threads. */
export function startWorkers(count: number, bisectedMax: number): WorkerPool {
  const threads = startThreads(count, bisectedMax);
  const idle = [...threads];
  const queue: Waiting[] = [];
  const busy = new Map<Worker, Waiting>();
  let failure: Error | null = null; // of any thread: nothing is handed out any more, and what others still find is of no use
  let closed = false;

  const handOut = (): void => {
    while (idle.length > 0 && queue.length > 0) {
      const thread = idle.pop()!;
      const waiting = queue.shift()!;
      busy.set(thread, waiting);
      thread.postMessage(waiting.task, buffersOf(waiting.task.part));
    }
  };
  const fail = (error: Error): void => {
    failure ??= error;
    for (const waiting of [...busy.values(), ...queue.splice(0)]) waiting.failed(error);
    busy.clear();
  };
  for (const thread of threads) {
    thread.on('message', (result: unknown) => {
      if (failure !== null) return;
      const waiting = busy.get(thread);
      assert(waiting !== undefined);
      busy.delete(thread);
      idle.push(thread);
      waiting.done(result);
      handOut();
    });
    thread.on('error', fail);
    thread.on('exit', (code) => {
      if (!closed && failure === null) fail(new Error(`a thread ended before its work was done (exit ${code})`));
    });
  }
  const submit = (task: BisectTask): Promise<unknown> =>
    new Promise((done, failed) => {
      if (failure !== null) {
        failed(failure);
        return;
      }
      queue.push({ task, done, failed });
      handOut();
    });
  return {
    bisect: (part, place, plan) => submit({ kind: 'halves', part, place, plan }) as Promise<Halved>,
    bisectRecursively: (part, place, plan) => submit({ kind: 'subtree', part, place, plan }) as Promise<Uint32Array>,
    close: async () => {
      closed = true;
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

/** All of them, or none. */
function startThreads(count: number, bisectedMax: number): Worker[] {
  const entry = workerEntry();
  const threads: Worker[] = [];
  try {
    while (threads.length < count) threads.push(new Worker(entry, { workerData: bisectedMax }));
    return threads;
  } catch (error) {
    for (const thread of threads) void thread.terminate();
    throw new ConfigError(
      `cannot start a thread (${error instanceof Error ? error.message : error}); allow more processes or memory, or use --workers 1`,
    );
  }
}

/** What of a graph can be handed over to another thread. */
export function buffersOf(graph: Graph): ArrayBuffer[] {
  const { rowStart, neighbour, tieWeight, nodeWeight, heaviestUser, degree } = graph;
  const all = [rowStart, neighbour, tieWeight, nodeWeight, heaviestUser, ...(degree === null ? [] : [degree])];
  return [...new Set(all.map(({ buffer }) => buffer as ArrayBuffer))];
}

function workerEntry(): URL {
  const built = builtFile('bucketizer/io/bisect-worker.js');
  if (existsSync(built)) return built;
  throw new ConfigError('workers need the built program; run "npm run build", or use --workers 1');
}
