/** `taiji get WHAT`: what a running control plane has, as a table, JSON or YAML. One entry a WHAT. */

import { Argument, type Command } from 'commander';
import { stringify } from 'yaml';
import { type Intent, intentWords } from '../../config/intent.ts';
import { formatTable } from './format-table.ts';
import { publicationGettables } from './get-publication.ts';
import { shadowGettable } from './get-shadow.ts';
import { servicePath } from './served-service.ts';
import { askServer, type ServerFlags, serverCommand } from './server-client.ts';
import { type OutputFormat, outputOption } from './setting.ts';

interface GetFlags extends ServerFlags {
  readonly service?: string;
  readonly output: OutputFormat;
}

/** What can be got: where it is asked for, and its rows as people read them. */
interface Gettable {
  readonly path: string;
  readonly service: 'none' | 'query' | 'path'; // how its route is told of which service
  readonly header: readonly string[];
  rows(body: never): readonly (readonly string[])[];
  words?(body: never): string; // a line after the rows
}

interface IntentsBody {
  readonly intents: readonly Intent[];
  readonly waiting: readonly {
    readonly intent: string;
    readonly service: string;
    readonly for: readonly string[];
    readonly edges?: readonly string[];
    readonly since: string;
  }[];
}

interface ServicesBody {
  readonly services: readonly {
    readonly service: string;
    readonly kind: string;
    readonly version: number;
    readonly epoch: number;
    readonly nextTime: string;
    readonly alerts: Readonly<Record<string, string>>;
  }[];
}

const gettables: Readonly<Record<string, Gettable>> = {
  ...publicationGettables,
  shadow: shadowGettable,
  intents: {
    path: '/v1/intents',
    service: 'none',
    header: ['id', 'what', 'service', 'priority', 'author', 'until', 'state', 'reason'],
    rows: ({ intents, waiting }: IntentsBody) =>
      intents.map((intent) => {
        const { id, service = '*', priority, author, until, since, reason } = intent;
        const waits = waiting
          .filter((one) => one.intent === id)
          .map(
            (one) =>
              `${one.edges ? `at ${one.edges.join(' ')} ` : ''}waits for ${one.for.join(', ')} since ${one.since}`,
          );
        const state = [...new Set(waits)].join('; ') || (since === undefined ? 'in force' : `from ${since}`);
        return [id, intentWords(intent), service, priority, author, until ?? '-', state, reason];
      }),
  },
  services: {
    path: '/v1/services',
    service: 'none',
    header: ['service', 'kind', 'version', 'epoch', 'next', 'alerts'],
    rows: ({ services }: ServicesBody) =>
      services.map(({ service, kind, version, epoch, nextTime, alerts }) => [
        service,
        kind,
        String(version),
        String(epoch),
        nextTime,
        Object.keys(alerts).join(',') || '-',
      ]),
  },
};

export function getCommand(): Command {
  return serverCommand('get', 'reads')
    .description('Show what a running control plane has')
    .addArgument(new Argument('<what>').choices(Object.keys(gettables)))
    .option('--service <service>', 'of several services, the one that is meant')
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  taiji get intents
  taiji get services -o json
  taiji get plans --service web                 what waits for taiji apply
  taiji get edges                               which table each edge has applied
  taiji get shadow                              what Taiji would change, of a control plane in shadow
  taiji get intents --server http://control.example.org:8470`,
    )
    .action(async (what: string, flags: GetFlags) => {
      const { path, service, header, rows, words } = gettables[what]!;
      const before = service === 'path' ? await servicePath(flags) : '';
      const named = service === 'query' && flags.service !== undefined;
      const query = named ? `?service=${encodeURIComponent(flags.service)}` : '';
      const { body } = await askServer(flags, `${before}${path}${query}`);
      if (flags.output === 'json') process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
      else if (flags.output === 'yaml') process.stdout.write(stringify(body));
      else {
        const lines = [...formatTable(header, rows(body as never)), ...(words ? [words(body as never)] : [])];
        process.stdout.write(`${lines.join('\n')}\n`);
      }
    });
}
