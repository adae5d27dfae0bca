/** `--wait`: looks at a control plane again and again until what was asked for has come about. */

import { setTimeout as sleep } from 'node:timers/promises';
import { durationMs } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { ServerAway } from './server-client.ts';

export interface Look {
  readonly progress: string; // a line, told on stderr where it is another one than before
  readonly missing: string | null; // what is still to come, for whoever waited in vain; null: nothing
}

const everyMs = 500;

/** Rejects with a ConfigError where `timeout` is over first; `hint`: where to look then. A control plane that restarts
 *  meanwhile forgets nothing of what is waited for. */
export async function waitFor(timeout: string, hint: string, look: () => Promise<Look>): Promise<void> {
  const untilMs = Date.now() + durationMs(timeout);
  let said = '';
  for (;;) {
    const { progress, missing } = await look().catch((error: unknown): Look => {
      if (!(error instanceof ServerAway)) throw error;
      return { progress: error.message, missing: error.message };
    });
    if (progress !== said) process.stderr.write(`${progress}\n`);
    said = progress;
    if (missing === null) return;
    if (Date.now() >= untilMs) throw new ConfigError(`--wait: ${missing} within ${timeout}; ${hint}`);
    await sleep(everyMs);
  }
}
