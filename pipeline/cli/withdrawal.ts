/** What `undrain`, `unfreeze` and `withdraw` have in common: the intents that fit what is named are withdrawn, each told in a line. */

import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { ConfigError } from '../../config/errors.ts';
import { type AuthorFlags, authorOption, loggedIn } from './author.ts';
import { askServer, tellServer } from './server-client.ts';
import { type OutputFormat, outputOption } from './setting.ts';

export interface WithdrawFlags extends AuthorFlags {
  readonly id?: string;
  readonly service?: string;
  readonly reason?: string;
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
  return authorOption(command)
    .option('--id <id>', 'only the intent of this id', (id) => {
      if (!/^[A-Za-z0-9._-]{1,64}$/.test(id))
        throw new InvalidArgumentError('expected 1 to 64 letters, digits, ". _ -"');
      return id;
    })
    .option('--service <service>', 'only what is about this service alone')
    .option('--reason <text>', 'why, for whoever asks later')
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
  const { author = loggedIn(), reason } = flags;
  const said = new URLSearchParams({ ...(author !== null && { author }), ...(reason !== undefined && { reason }) });
  for (const { id } of found) await tellServer(flags, 'DELETE', `/v1/intents/${encodeURIComponent(id)}?${said}`);
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify({ withdrawn: found }, null, 2)}\n`);
  else if (flags.output === 'yaml') process.stdout.write(stringify({ withdrawn: found }));
  else {
    for (const { id, kind, author, reason } of found) {
      process.stdout.write(`${kind}/${id} withdrawn (by ${author}: ${reason})\n`);
    }
  }
}
