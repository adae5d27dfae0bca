/** `taiji resume`: ends what a rollback or a failed canary holds. */

import type { Command } from 'commander';
import { type AuthorFlags, authorOption, tellAs } from './author.ts';
import { type DoneBody, doneLines, print, type ServiceFlags, serviceOptions, servicePath } from './served-service.ts';
import { serverCommand } from './server-client.ts';

interface ResumeFlags extends AuthorFlags, ServiceFlags {
  readonly reason?: string;
}

export function resumeCommand(): Command {
  return authorOption(serviceOptions(serverCommand('resume', 'writes')))
    .description('Let tables follow the plans again, after a rollback or a canary that failed')
    .option('--reason <reason>', 'why now')
    .addHelpText(
      'after',
      `
Examples:
  taiji resume --reason "policy fixed" --token-file data/token
  taiji resume --service web`,
    )
    .action(async (flags: ResumeFlags) => {
      const { reason } = flags;
      const asked = reason === undefined ? {} : { reason };
      const body = await tellAs(flags, `${await servicePath(flags)}/resume`, asked);
      print(body, [...doneLines(body as DoneBody), 'Tables follow the plans from the next epoch on.'], flags.output);
    });
}
