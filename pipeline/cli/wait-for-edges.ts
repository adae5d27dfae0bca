/** `--wait`: until the edges have acknowledged what they are meant to have, and a canary among them has come to an end. */

import type { Command } from 'commander';
import { duration, type RolloutBody } from './served-service.ts';
import { askServer, type ServerFlags } from './server-client.ts';
import { waitFor } from './waiting.ts';

export interface WaitFlags extends ServerFlags {
  readonly wait?: boolean;
  readonly timeout: string;
}

interface RolloutAnswer {
  readonly version: number;
  readonly rollout: RolloutBody;
  readonly edges: readonly { readonly edge: string; readonly isCurrent: boolean }[];
}

export function waitOptions(command: Command): Command {
  return command
    .option('--wait', 'return once every edge has acknowledged its table, and a canary has ended')
    .option('--timeout <duration>', 'with --wait: give up after so long', duration, '10m');
}

/** Progress on stderr. Rejects with a ConfigError that names who is missing when the time is over; exit 3 where a canary
 *  failed. */
export async function waitForEdges(flags: WaitFlags, path: string): Promise<void> {
  await waitFor(flags.timeout, 'taiji get edges shows what each has', async () => {
    const { version, rollout, edges } = (await askServer(flags, `${path}/rollout`)).body as RolloutAnswer;
    if (rollout.kind === 'canary') {
      const undecided = rollout.undecided ?? 'its canary has no verdict yet';
      return {
        progress: `version ${version} is tried at ${rollout.edges?.join(', ')}`,
        missing: `version ${version}: ${undecided}`,
      };
    }
    const hasFailed = rollout.kind === 'pinned' && rollout.author === 'taiji';
    if (hasFailed) process.exitCode = 3;
    const silent = edges.filter(({ isCurrent }) => !isCurrent).map(({ edge }) => edge);
    const told = `version ${version}: ${edges.length - silent.length} of ${edges.length} edges have acknowledged`;
    return {
      progress: hasFailed ? `the canary failed: ${rollout.reason}\n${told}` : told,
      missing: silent.length > 0 ? `version ${version}: no word from ${silent.join(', ')}` : null,
    };
  });
}
