/** Long work on the thread that plans and answers: whoever waits for it has a turn between two steps. */

import { setImmediate } from 'node:timers/promises';
import type { Steps } from '../../../config/steps.ts';

const turnMs = 20;

export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (let beganMs = performance.now(); ; ) {
    const said = steps.next();
    if (said.done) return said.value;
    if (performance.now() - beganMs < turnMs) continue;
    await setImmediate();
    beganMs = performance.now();
  }
}
