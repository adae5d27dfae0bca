/** The thread an engine runs in, so that nothing else ever waits for a solve. */

import { parentPort, workerData } from 'node:worker_threads';
import { ProgramBuilder } from '../lp/builder.ts';
import { openEngine } from '../lp/engines.ts';
import type { EngineName, LinearProgram, RowPrices } from '../lp/problem.ts';

/** Two loads on two places that are almost full. */
function warmUp(): LinearProgram {
  const lp = new ProgramBuilder();
  const places = [lp.row(Number.NEGATIVE_INFINITY, 1.2), lp.row(Number.NEGATIVE_INFINITY, 0.9)];
  for (const cost of [1, 3]) {
    const whole = lp.row(1, 1);
    places.forEach((place, d) => {
      const column = lp.column(cost + d, 0, 1);
      lp.put(place, column, 1);
      lp.put(whole, column, 1);
    });
  }
  return lp.build();
}

const port = parentPort;
if (!port) throw new Error('solver-worker runs as a worker thread');
try {
  const solve = await openEngine((workerData as { engine: EngineName }).engine);
  port.on('message', ({ program, prices }: { program: LinearProgram; prices?: RowPrices }) => {
    let answer: ReturnType<typeof solve>;
    try {
      answer = solve(program, prices);
    } catch (error) {
      port.postMessage({ failure: String(error) });
      return;
    }
    port.postMessage({ answer }, [answer.columns.buffer as ArrayBuffer, answer.rowDuals.buffer as ArrayBuffer]);
  });
  solve(warmUp()); // what WebAssembly compiles on first use is compiled before it is needed
  port.postMessage({ ready: true });
} catch (error) {
  port.postMessage({ ready: false, failure: String(error) });
  port.close();
}
