/** `taiji undrain`: withdraws the drains of a datacenter, which then takes users again. */

import type { Command } from 'commander';
import { serverCommand } from './server-client.ts';
import { type WithdrawFlags, withdraw, withdrawOptions } from './withdrawal.ts';

export function undrainCommand(): Command {
  return withdrawOptions(serverCommand('undrain', 'writes'))
    .description(
      'Withdraw the drains of a datacenter: from the next epoch on it takes users again, as fast as the guards allow',
    )
    .argument('<datacenter>')
    .addHelpText(
      'after',
      `
Examples:
  taiji undrain ashburn --token-file data/token
  taiji undrain ashburn --service web           only drains of this service alone
  taiji undrain ashburn --id a1b2c3             one of several`,
    )
    .action((datacenter: string, flags: WithdrawFlags) =>
      withdraw(
        flags,
        `a drain of "${datacenter}"`,
        (intent) => intent.kind === 'drain' && intent['datacenter'] === datacenter,
      ),
    );
}
