/** Help that tells which flags a verb cannot do without: Commander shows all alike, and a refusal names one at a time. */

import { type Command, Help } from 'commander';

const plain = new Help();

/** Of the command and all below it; returns it. */
export function showRequired(command: Command): Command {
  command.configureHelp({
    optionDescription: (option) => `${plain.optionDescription(option)}${option.mandatory ? ' (required)' : ''}`,
  });
  command.commands.forEach(showRequired);
  return command;
}
