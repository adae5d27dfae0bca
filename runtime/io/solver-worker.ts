/** The thread an engine runs in, so that nothing else ever waits for a solve. */

import { parentPort, workerData } from 'node:worker_threads';
import { openEngine } from '../lp/engines.ts';
import type { EngineName, LinearProgram } from '../lp/problem.ts';

const port = parentPort;
if (!port) throw new Error('solver-worker runs as a worker thread');
try {
  const solve = await openEngine((workerData as { engine: EngineName }).engine);
  port.on('message', ({ id, program }: { id: number; program: LinearProgram }) => {
    try {
      port.postMessage({ id, answer: solve(program) });
    } catch (error) {
      port.postMessage({ id, failure: String(error) });
    }
  });
  port.postMessage({ ready: true });
} catch (error) {
  port.postMessage({ ready: false, failure: String(error) });
  port.close();
}
