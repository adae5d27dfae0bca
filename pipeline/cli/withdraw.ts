/** `taiji withdraw`: ends an intent of any kind before its time. */

import type { Command } from 'commander';
import { serverCommand } from './server-client.ts';
import { type WithdrawFlags, withdraw, withdrawOptions } from './withdrawal.ts';

export function withdrawCommand(): Command {
  return withdrawOptions(serverCommand('withdraw', 'writes'))
    .description('Withdraw an intent: from the next epoch on it is as if it had never been')
    .argument('<id>')
    .addHelpText(
      'after',
      `
Examples:
  taiji get intents
  taiji withdraw a1b2c3 --reason 'work is done' --token-file data/token`,
    )
    .action((id: string, flags: WithdrawFlags) => withdraw(flags, `intent "${id}"`, (intent) => intent.id === id));
}
