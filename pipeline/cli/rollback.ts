/** `taiji rollback`: back to an earlier version, and held there. */

import type { Command } from 'commander';
import { type AuthorFlags, authorOption, tellAs } from './author.ts';
import {
  type DoneBody,
  doneLines,
  duration,
  print,
  type ServiceFlags,
  serviceOptions,
  servicePath,
  wholeNumber,
} from './served-service.ts';
import { serverCommand } from './server-client.ts';
import { type WaitFlags, waitForEdges, waitOptions } from './wait-for-edges.ts';

interface RollbackFlags extends AuthorFlags, ServiceFlags, WaitFlags {
  readonly reason: string;
  readonly for?: string;
  readonly force?: boolean;
}

export function rollbackCommand(): Command {
  return waitOptions(authorOption(serviceOptions(serverCommand('rollback', 'writes'))))
    .description('Go back to an earlier version of the table, at once, and hold it there')
    .argument('<version>', 'a version that was in force and is kept; see taiji history', wholeNumber)
    .requiredOption('--reason <reason>', 'why, for history and whoever is woken next')
    .option('--for <duration>', 'how long it is held, such as 2h; default: until taiji resume', duration)
    .option('--force', 'also where it lifts a datacenter over its limit')
    .addHelpText(
      'after',
      `
Examples:
  taiji rollback 41 --reason "latency at fra since 42" --token-file data/token
  taiji rollback 41 --reason "latency at fra since 42" --for 2h --wait
  taiji resume --reason "fixed in the policy"

A rollback is a version of its own, with the table of the earlier one. Until taiji resume (or the end of --for) nothing
moves by choice, or the next epoch would plan the same table again; users of a failing or drained datacenter still move.
A version that sends users where they may not be now is refused, whatever is forced.`,
    )
    .action(async (version: number, flags: RollbackFlags) => {
      const path = await servicePath(flags);
      const { reason, force } = flags;
      const asked = { version, reason, ...(force && { force }), ...(flags.for !== undefined && { for: flags.for }) };
      const body = await tellAs(flags, `${path}/rollback`, asked);
      print(body, doneLines(body as DoneBody), flags.output);
      if (flags.wait === true) await waitForEdges(flags, path);
    });
}
