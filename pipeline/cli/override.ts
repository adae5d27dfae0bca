/** `taiji override`: says what share of an edge's demand a datacenter serves. */

import type { Command } from 'commander';
import { type HandInFlags, handIn, handInOptions, share } from './hand-in.ts';
import { serverCommand } from './server-client.ts';

interface OverrideFlags extends HandInFlags {
  readonly edge: string;
  readonly datacenter: string;
  readonly fraction: number;
}

export function overrideCommand(): Command {
  return handInOptions(serverCommand('override', 'writes'))
    .description('Say what share of an edge’s demand a datacenter serves, before what the policy pins')
    .requiredOption('--edge <edge>', 'whose users')
    .requiredOption('--datacenter <datacenter>', 'who serves them')
    .requiredOption('--fraction <share>', 'of the edge’s demand; 0: none', share)
    .addHelpText(
      'after',
      `
Examples:
  taiji override --edge sin --datacenter tokyo --fraction 0.2 --reason experiment --for 2h --token-file data/token
  taiji override --edge fra --datacenter ashburn --fraction 0 --reason 'nobody from here' --dry-run
  taiji withdraw a1b2c3                         before its end; taiji get intents has the ids

Moved within the guards, and held until it ends. A limit that comes before pins (capacity, latencyMsMax, utilizationMax)
gives for no override.`,
    )
    .action(({ edge, datacenter, fraction, ...flags }: OverrideFlags) =>
      handIn(flags, { kind: 'override', edge, datacenter, fraction }),
    );
}
