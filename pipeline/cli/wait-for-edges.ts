/** `--wait`: until the edges have acknowledged what they are meant to have, and a canary among them has come to an end. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { durationMs } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { duration, type RolloutBody } from './served-service.ts';
import { askServer, type ServerFlags } from './server-client.ts';

export interface WaitFlags extends ServerFlags {
  readonly wait?: boolean;
  readonly timeout: string;
}

interface RolloutAnswer {
  readonly version: number;
  readonly rollout: RolloutBody;
  readonly edges: readonly { readonly edge: string; readonly isCurrent: boolean }[];
}

const everyMs = 500;

export function waitOptions(command: Command): Command {
  return command
    .option('--wait', 'return once every edge has acknowledged its table, and a canary has ended')
    .option('--timeout <duration>', 'with --wait: give up after so long', duration, '10m');
}

/** Progress on stderr. Rejects with a ConfigError that names who is missing when the time is over; exit 3 where a canary
 *  failed. */
export async function waitForEdges(flags: WaitFlags, path: string): Promise<void> {
  const untilMs = Date.now() + durationMs(flags.timeout);
  let said = '';
  for (;;) {
    const { body } = await askServer(flags, `${path}/rollout`);
    const { version, rollout, edges } = body as RolloutAnswer;
    const missing = edges.filter(({ isCurrent }) => !isCurrent).map(({ edge }) => edge);
    const trying = rollout.kind === 'canary';
    const line = trying
      ? `version ${version} is tried at ${rollout.edges?.join(', ')}`
      : `version ${version}: ${edges.length - missing.length} of ${edges.length} edges have acknowledged`;
    if (line !== said) process.stderr.write(`${line}\n`);
    said = line;
    if (rollout.kind === 'pinned' && rollout.author === 'taiji') {
      process.stderr.write(`the canary failed: ${rollout.reason}\n`);
      process.exitCode = 3;
    }
    if (!trying && missing.length === 0) return;
    if (Date.now() >= untilMs) {
      const why = trying
        ? (rollout.undecided ?? 'its canary has no verdict yet')
        : `no word from ${missing.join(', ')}`;
      throw new ConfigError(
        `--wait: version ${version}: ${why} within ${flags.timeout}; taiji get edges shows what each has`,
      );
    }
    await sleep(everyMs);
  }
}
