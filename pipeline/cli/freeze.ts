/** `taiji freeze`: nothing moves by choice. */

import type { Command } from 'commander';
import { type HandInFlags, handIn, handInOptions } from './hand-in.ts';
import { serverCommand } from './server-client.ts';

interface FreezeFlags extends HandInFlags {
  readonly edge?: string;
  readonly datacenter?: string;
}

export function freezeCommand(): Command {
  return handInOptions(serverCommand('freeze', 'writes'))
    .description('Stop moves by choice; what fails or is drained still moves')
    .option('--edge <edge>', 'only of this edge’s users')
    .option('--datacenter <datacenter>', 'only of what this datacenter serves')
    .addHelpText(
      'after',
      `
Examples:
  taiji freeze --reason 'launch day' --for 6h --token-file data/token
  taiji freeze --service web --reason 'release under way' --for 1h
  taiji freeze --edge fra --reason 'cable work'
  taiji unfreeze`,
    )
    .action(({ edge, datacenter, ...flags }: FreezeFlags) => handIn(flags, { kind: 'freeze', edge, datacenter }));
}
