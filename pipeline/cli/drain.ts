/** `taiji drain`: takes users off a datacenter, at once or step by step. */

import { type Command, InvalidArgumentError } from 'commander';
import { duration, type HandInFlags, handIn, handInOptions, share } from './hand-in.ts';
import { serverCommand } from './server-client.ts';

interface DrainFlags extends HandInFlags {
  readonly edge?: string;
  readonly keep: number;
  readonly over?: string;
  readonly step: readonly (readonly [string, number])[];
}

export function drainCommand(): Command {
  return handInOptions(serverCommand('drain', 'writes'))
    .description(
      'Take users off a datacenter; the others get them, by the policy. Refused where they cannot carry them',
    )
    .argument('<datacenter>')
    .option('--edge <edge>', 'only the users of this edge')
    .option('--keep <share>', 'share of what it serves that it keeps', share, 0)
    .option('--over <duration>', 'in equal steps, one an epoch, so long', duration)
    .option('--step <time=keep>', 'a step of a schedule of one’s own; repeat it, in order', step, [])
    .addHelpText(
      'after',
      `
Examples:
  taiji drain ashburn --reason 'power work' --for 2h --token-file data/token
  taiji drain ashburn --reason 'weekly drill' --priority drill --over 30m
  taiji drain ashburn --reason 'lossy path' --edge fra
  taiji drain ashburn --reason test --keep 0.5 --dry-run
  taiji drain ashburn --reason move --step 2026-03-05T10:00:00Z=0.5 --step 2026-03-05T11:00:00Z=0
  taiji undrain ashburn

It keeps a share of what it served when the drain began, and gains nothing. What the others cannot carry is refused, with
the numbers; --force takes it all the same, and no limit of another datacenter gives while one can take the load.`,
    )
    .action((datacenter: string, flags: DrainFlags) => {
      const { edge, keep, over, step: steps } = flags;
      const schedule = steps.length > 0 ? { schedule: steps } : { keep };
      return handIn(flags, { kind: 'drain', datacenter, edge, over, ...schedule });
    });
}

function step(text: string, before: readonly (readonly [string, number])[]): readonly (readonly [string, number])[] {
  const [time, keep] = text.split('=');
  if (time === undefined || keep === undefined) {
    throw new InvalidArgumentError('expected a time and a share such as 2026-03-05T10:00:00Z=0.5');
  }
  return [...before, [time, share(keep)]];
}
