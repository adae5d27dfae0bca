/** `taiji diff`: what changes between two versions of a service's table. */

import type { Command } from 'commander';
import { formatDiff, type TableDiff } from '../table/diff.ts';
import { print, type ServiceFlags, serviceOptions, servicePath } from './served-service.ts';
import { askServer, serverCommand } from './server-client.ts';

interface DiffFlags extends ServiceFlags {
  readonly detailedExitcode?: boolean;
}

export function diffCommand(): Command {
  return serviceOptions(serverCommand('diff', 'reads'))
    .description('Show what changes between two versions of a table, edge by edge, those that move most first')
    .argument('<a>', 'a version, or current')
    .argument('[b]', 'another', 'current')
    .option('--detailed-exitcode', 'exit 2 where they differ')
    .addHelpText(
      'after',
      `
Examples:
  taiji diff 41 42
  taiji diff 41                  to the one in force
  taiji diff current 41          what going back to 41 would change
  taiji diff 41 42 -o json | jq .diff.movedShare

Shares are of the demand that was last planned on.`,
    )
    .action(async (a: string, b: string, flags: DiffFlags) => {
      const query = `from=${encodeURIComponent(a)}&to=${encodeURIComponent(b)}`;
      const { body } = await askServer(flags, `${await servicePath(flags)}/diff?${query}`);
      const { diff } = body as { readonly diff: TableDiff };
      print(body, formatDiff(diff), flags.output);
      if (flags.detailedExitcode === true && diff.edges.length > 0) process.exitCode = 2;
    });
}
