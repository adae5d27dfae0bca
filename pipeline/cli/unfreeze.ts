/** `taiji unfreeze`: withdraws freezes, so that traffic moves by choice again. */

import type { Command } from 'commander';
import { serverCommand } from './server-client.ts';
import { type WithdrawFlags, withdraw, withdrawOptions } from './withdrawal.ts';

export function unfreezeCommand(): Command {
  return withdrawOptions(serverCommand('unfreeze', 'writes'))
    .description('Withdraw freezes: from the next epoch on traffic moves by choice again')
    .addHelpText(
      'after',
      `
Examples:
  taiji unfreeze --token-file data/token        every freeze in force
  taiji unfreeze --service web                  only freezes of this service alone
  taiji unfreeze --id a1b2c3                    one of several`,
    )
    .action((flags: WithdrawFlags) => withdraw(flags, 'a freeze', ({ kind }) => kind === 'freeze'));
}
