/** What `undrain`, `unfreeze` and `withdraw` have in common: the intents that fit what is named are withdrawn, each told in a line. */

import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { ConfigError } from '../../config/errors.ts';
import { askServer, type ServerFlags, tellServer } from './server-client.ts';
import { type OutputFormat, outputOption } from './setting.ts';

export interface WithdrawFlags extends ServerFlags {
  readonly id?: string;
  readonly service?: string;
  readonly reason?: string;
  readonly author?: string;
  readonly output: OutputFormat;
}

/** An intent as the control plane lists it. */
export interface ListedIntent extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly kind: string;
  readonly author: string;
  readonly reason: string;
}

export function withdrawOptions(command: Command): Command {
  return command
    .option('--id <id>', 'only the intent of this id', (id) => {
      if (!/^[A-Za-z0-9._-]{1,64}$/.test(id))
        throw new InvalidArgumentError('expected 1 to 64 letters, digits, ". _ -"');
      return id;
    })
    .option('--service <service>', 'only what is about this service alone')
    .option('--reason <text>', 'why, for whoever asks later')
    .option('--author <name>', 'whose wish it is, where the token has no name; default: you')
    .addOption(outputOption());
}

/** `noun`: what is looked for, as a complaint names it. */
export async function withdraw(
  flags: WithdrawFlags,
  noun: string,
  fits: (intent: ListedIntent) => boolean,
): Promise<void> {
  const { body } = await askServer(flags, '/v1/intents');
  const { intents } = body as { readonly intents: readonly ListedIntent[] };
  const found = intents.filter(
    (intent) =>
      fits(intent) &&
      (flags.id === undefined || intent.id === flags.id) &&
      (flags.service === undefined || intent['service'] === flags.service),
  );
  if (found.length === 0) throw new ConfigError(`${noun} is not there; taiji get intents lists what is`);
  const { author = userInfo().username, reason } = flags;
  const said = new URLSearchParams({ author, ...(reason !== undefined && { reason }) });
  for (const { id } of found) await tellServer(flags, 'DELETE', `/v1/intents/${encodeURIComponent(id)}?${said}`);
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify({ withdrawn: found }, null, 2)}\n`);
  else if (flags.output === 'yaml') process.stdout.write(stringify({ withdrawn: found }));
  else {
    for (const { id, kind, author, reason } of found) {
      process.stdout.write(`${kind}/${id} withdrawn (by ${author}: ${reason})\n`);
    }
  }
}
