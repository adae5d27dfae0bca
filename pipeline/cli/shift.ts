/** `taiji shift`: moves a share of demand from one datacenter to another, and holds it there. */

import type { Command } from 'commander';
import { type HandInFlags, handIn, handInOptions, share } from './hand-in.ts';
import { serverCommand } from './server-client.ts';

interface ShiftFlags extends HandInFlags {
  readonly edge?: string;
  readonly from: string;
  readonly to: string;
  readonly fraction: number;
}

export function shiftCommand(): Command {
  return handInOptions(serverCommand('shift', 'writes'))
    .description(
      'Move a share of the demand of one edge, or of each, from one datacenter to another, and hold it there',
    )
    .requiredOption('--from <datacenter>', 'where it leaves')
    .requiredOption('--to <datacenter>', 'where it goes')
    .requiredOption('--fraction <share>', 'of the edge’s demand; at most what is served there', share)
    .option('--edge <edge>', 'only of this edge; default: of each')
    .addHelpText(
      'after',
      `
Examples:
  taiji shift --edge fra --from ashburn --to dublin --fraction 0.2 --reason 'try the new hall' --for 1h --token-file data/token
  taiji shift --from ashburn --to columbus --fraction 0.1 --reason 'load test' --priority drill --dry-run
  taiji withdraw a1b2c3                         before its end; taiji get intents has the ids

Counted from what both serve when it begins, moved within the guards, and held until it ends; Taiji balances the rest
around it. A limit that comes before pins (capacity, latencyMsMax, utilizationMax) gives for no shift.`,
    )
    .action(({ edge, from, to, fraction, ...flags }: ShiftFlags) =>
      handIn(flags, { kind: 'shift', edge, from, to, fraction }),
    );
}
