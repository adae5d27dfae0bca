/** What the verbs that hand in an intent have in common: the flags, the request, and what the control plane made of it. */

import { type Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { durationSchema } from '../../config/duration.ts';
import { type Intent, intentWords } from '../../config/intent.ts';
import type { PreCheck } from '../server/pre-check.ts';
import { type AuthorFlags, authorOption, tellAs } from './author.ts';
import { formatTable } from './format-table.ts';
import { type OutputFormat, outputOption } from './setting.ts';

export interface HandInFlags extends AuthorFlags {
  readonly reason: string;
  readonly for?: string;
  readonly since?: string;
  readonly until?: string;
  readonly priority?: string;
  readonly service?: string;
  readonly id?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly output: OutputFormat;
}

interface Answer {
  readonly intent: Intent;
  readonly effectiveFrom: string;
  readonly stored?: boolean;
  readonly check: Readonly<Record<string, PreCheck>> | null;
  readonly refusals: readonly string[];
}

export function handInOptions(command: Command): Command {
  return authorOption(command)
    .requiredOption('--reason <text>', 'why, for whoever asks later')
    .option(
      '--for <duration>',
      'ends by itself so long after it begins, such as 2h; default: until withdrawn',
      duration,
    )
    .option('--since <time>', 'begins then, such as 2026-03-05T22:00:00Z; default: at the next epoch')
    .option('--until <time>', 'ends then, in place of --for')
    .option('--priority <priority>', 'failure, drill, manual or taiji; default: manual')
    .option('--service <service>', 'about this service’s traffic alone; default: about everybody’s')
    .option('--id <id>', 'a name of its own; default: one is made')
    .option('--force', 'take it, whatever the pre-check says')
    .option('--dry-run', 'only say what it would come to; exits 3 where it would be refused')
    .addOption(outputOption());
}

export function duration(text: string): string {
  if (!durationSchema.safeParse(text).success) throw new InvalidArgumentError('expected a duration such as 30m or 2h');
  return text;
}

export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError('expected a share, 0..1, such as 0.25');
  }
  return value;
}

/** `what`: the intent's own fields. */
export async function handIn(flags: HandInFlags, what: Readonly<Record<string, unknown>>): Promise<void> {
  const { reason, since, until, priority, service, id } = flags;
  const stated = { reason, since, until, priority, service, id, for: flags.for, force: flags.force, ...what };
  const path = `/v1/intents${flags.dryRun === true ? '?dryRun=true' : ''}`;
  const answer = (await tellAs(flags, path, stated)) as Answer;
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  else if (flags.output === 'yaml') process.stdout.write(stringify(answer));
  else process.stdout.write(`${lines(answer, flags.dryRun === true).join('\n')}\n`);
  if (flags.dryRun === true && answer.refusals.length > 0 && flags.force !== true) process.exitCode = 3;
}

function lines({ intent, effectiveFrom, stored, check, refusals }: Answer, isDryRun: boolean): readonly string[] {
  const { id, kind, until, author } = intent;
  const ends = until === null ? 'until withdrawn' : `until ${until}`;
  const verb = isDryRun ? 'would be taken' : 'taken';
  const said = isDryRun && refusals.length > 0 && intent.force !== true ? 'would be refused' : verb;
  const services = Object.entries(check ?? {});
  return [
    `${kind}/${id} ${said}: ${intentWords(intent)}`,
    `by ${author}, from ${effectiveFrom}, ${ends}`,
    ...(stored === false ? ['not stored yet: in force all the same, and tried again with every epoch'] : []),
    ...refusals.map((refusal) => `${isDryRun ? 'refused' : 'forced'}: ${refusal}`),
    ...(check === null && !isDryRun ? ['not checked: nothing was planned yet that it could be checked against'] : []),
    ...services.flatMap(([service, one]) => ['', ...checkLines(services.length > 1 ? service : null, one)]),
  ];
}

function checkLines(service: string | null, check: PreCheck): readonly string[] {
  const { before, after, relaxed, waitsFor, makesWait, limit } = check;
  const of = service === null ? '' : ` of ${service}`;
  const rows = Object.keys(before).map((id) => {
    const [was, is] = [before[id]!, after[id]!];
    const change = is - was;
    return [id, was.toFixed(3), is.toFixed(3), `${change < 0 ? '-' : '+'}${Math.abs(change).toFixed(3)}`];
  });
  return [
    ...(waitsFor.length > 0 ? [`waits${of} for ${waitsFor.join(', ')}`] : []),
    ...(makesWait.length > 0 ? [`makes wait${of}: ${makesWait.join(', ')}`] : []),
    ...(relaxed.length > 0 ? [`limits that give${of}: ${relaxed.join(', ')}`] : []),
    ...formatTable([service ?? 'datacenter', 'before', 'after', 'change'], rows),
    `utilization at the demand of now, at most ${limit}; guards may take several epochs to get there`,
  ];
}
