/** Which service of a running control plane a verb is about, and what it says of a change of its tables. */

import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { didYouMean } from '../../config/did-you-mean.ts';
import { durationSchema } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { askServer, type ServerFlags } from './server-client.ts';
import { type OutputFormat, outputOption } from './setting.ts';

export interface ServiceFlags extends ServerFlags {
  readonly service?: string;
  readonly output: OutputFormat;
}

export function serviceOptions(command: Command): Command {
  return command.option('--service <service>', 'of several services, the one that is meant').addOption(outputOption());
}

/** The path of a service's routes. Rejects with a ConfigError where it is not there, or none is named of several. */
export async function servicePath(flags: ServiceFlags): Promise<string> {
  const { body } = await askServer(flags, '/v1/services');
  const names = (body as { services: readonly { service: string }[] }).services.map(({ service }) => service);
  const { service } = flags;
  const asked = service ?? (names.length === 1 ? names[0]! : null);
  if (asked === null) throw new ConfigError(`--service: there are ${names.join(', ')}; name one`);
  if (!names.includes(asked)) {
    throw new ConfigError(
      `--service ${JSON.stringify(asked)}: not here${didYouMean(asked, names)}; there are ${names.join(', ')}`,
    );
  }
  return `/v1/services/${encodeURIComponent(asked)}`;
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value >= 1)) throw new InvalidArgumentError('expected a whole number from 1');
  return value;
}

export function duration(text: string): string {
  if (!durationSchema.safeParse(text).success)
    throw new InvalidArgumentError('expected a duration such as 30s, 5m or 2h');
  return text;
}

/** What the routes that change tables answer. */
export interface DoneBody {
  readonly service: string;
  readonly version: number;
  readonly rollout: RolloutBody;
  readonly churn: number | null;
  readonly stored: boolean;
}

export interface RolloutBody {
  readonly kind: 'open' | 'pinned' | 'canary';
  readonly version?: number;
  readonly edges?: readonly string[];
  readonly author?: string;
  readonly reason?: string;
  readonly until?: string | null;
  readonly undecided?: string | null;
}

export function print(body: unknown, lines: readonly string[], format: OutputFormat): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  else if (format === 'yaml') process.stdout.write(stringify(body));
  else process.stdout.write(`${lines.join('\n')}\n`);
}

export function doneLines({ service, version, rollout, churn, stored }: DoneBody): readonly string[] {
  const moved = churn === null ? '' : `; ${churn.toFixed(4)} of demand moves`;
  return [
    `service/${service} at version ${version}${moved}`,
    ...rolloutLines(rollout),
    ...(stored ? [] : ['In force, and not on the disk yet: the store fails, see the alerts.']),
  ];
}

function rolloutLines({ kind, version, edges, author, reason, until, undecided }: RolloutBody): readonly string[] {
  switch (kind) {
    case 'open':
      return [];
    case 'pinned': {
      const end = until === null ? 'until taiji resume' : `until ${until} or taiji resume`;
      return [
        `Held at version ${version} by ${author} (${reason}): nothing moves by choice ${end}; what a failing datacenter forces still does.`,
      ];
    }
    case 'canary': {
      if (undecided) return [`No verdict: ${undecided}. Apply its plan with --force --reason R, or roll back.`];
      return [`Tried at ${edges?.join(', ')} until ${until}; the other edges follow if it does well.`];
    }
  }
}
