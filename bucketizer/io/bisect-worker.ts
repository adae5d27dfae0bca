/** Entry of a worker thread: bisects the parts of the social graph it is sent, one after the other. */

import assert from 'node:assert';
import { parentPort } from 'node:worker_threads';
import { bisectAt, bisectRecursively } from '../recursive-bisection.ts';
import type { BisectTask } from './worker-pool.ts';

assert(parentPort !== null, 'this file is the entry of a worker thread');
const port = parentPort;

port.on('message', ({ kind, part, place, plan }: BisectTask) => {
  const result = kind === 'subtree' ? bisectRecursively(part, place, plan) : bisectAt(part, place, plan);
  port.postMessage(result, [result.buffer as ArrayBuffer]);
});
