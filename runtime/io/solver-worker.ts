/** The thread an engine runs in, so that nothing else ever waits for a solve. */

import { parentPort, workerData } from 'node:worker_threads';
import { openEngine } from '../lp/engines.ts';
import type { EngineName, LinearProgram, RowPrices } from '../lp/problem.ts';

const port = parentPort;
if (!port) throw new Error('solver-worker runs as a worker thread');
try {
  const solve = await openEngine((workerData as { engine: EngineName }).engine);
  port.on('message', ({ id, program, prices }: { id: number; program: LinearProgram; prices?: RowPrices }) => {
    try {
      port.postMessage({ id, answer: solve(program, prices) });
    } catch (error) {
      port.postMessage({ id, failure: String(error) });
    }
  });
  port.postMessage({ ready: true });
} catch (error) {
  port.postMessage({ ready: false, failure: String(error) });
  port.close();
}
