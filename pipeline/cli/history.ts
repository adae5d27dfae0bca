/** `taiji history`: the versions of a service's table that were in force, and whose they are. */

import type { Command } from 'commander';
import { formatTable } from './format-table.ts';
import { print, type ServiceFlags, serviceOptions, servicePath, wholeNumber } from './served-service.ts';
import { askServer, serverCommand } from './server-client.ts';

interface HistoryFlags extends ServiceFlags {
  readonly limit: number;
}

interface HistoryBody {
  readonly versions: readonly {
    readonly version: number;
    readonly parent: number;
    readonly cause: string;
    readonly author: string;
    readonly reason: string;
    readonly publishedAt: string | null;
    readonly term: number;
    readonly inputsSha256: string | null;
  }[];
}

export function historyCommand(): Command {
  return serviceOptions(serverCommand('history', 'reads'))
    .description('List the versions of a table that were in force, newest first: when, whose, why, and from what')
    .option('--limit <number>', 'at most so many', wholeNumber, 20)
    .addHelpText(
      'after',
      `
Examples:
  taiji history
  taiji history --service web --limit 5 -o json
  taiji diff 41 current                         what changed since version 41
  taiji rollback 41 --reason "latency at fra"   and back to it

parent: the version in force before. inputs: first digits of the SHA-256 of the inputs it was planned on, as the journal has them.`,
    )
    .action(async (flags: HistoryFlags) => {
      const { body } = await askServer(flags, `${await servicePath(flags)}/tables?limit=${flags.limit}`);
      const { versions } = body as HistoryBody;
      const rows = versions.map(({ version, parent, publishedAt, cause, author, reason, term, inputsSha256 }) => [
        ...[String(version), String(parent), publishedAt ?? '-', cause, author],
        ...[String(term), inputsSha256?.slice(0, 12) ?? '-', reason],
      ]);
      const header = ['version', 'parent', 'published', 'cause', 'author', 'term', 'inputs', 'reason'];
      print(body, formatTable(header, rows), flags.output);
    });
}
