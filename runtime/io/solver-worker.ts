/** The thread an engine runs in, so that nothing else ever waits for a solve. */

import { parentPort, workerData } from 'node:worker_threads';
import { ProgramBuilder } from '../lp/builder.ts';
import { loadEngine } from '../lp/engines.ts';
import type { EngineName } from '../lp/problem.ts';
import type { Question } from '../lp/sift.ts';
import { basisAt } from '../lp/start.ts';

/** Two loads on two places that are almost full. */
function warmUp(): Question {
  const lp = new ProgramBuilder();
  const places = [lp.row(Number.NEGATIVE_INFINITY, 1.2), lp.row(Number.NEGATIVE_INFINITY, 0.9)];
  for (const cost of [1, 3]) {
    const whole = lp.row(1, 1);
    places.forEach((place, d) => {
      lp.column(cost + d, 0, 1, whole);
      lp.put(place, 1);
    });
  }
  const program = lp.build();
  return { program, basis: basisAt(program, Float64Array.of(-1, 0, 0, 0)) };
}

const port = parentPort;
if (!port) throw new Error('solver-worker runs as a worker thread');
try {
  const solve = await loadEngine((workerData as { engine: EngineName }).engine);
  port.on('message', (question: Question) => {
    let answer: ReturnType<typeof solve>;
    try {
      answer = solve(question);
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
