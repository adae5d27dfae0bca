/** `taiji world`: a generated world, the same files as a real one. What somebody else's world has there is not replaced
 *  unless told to; the same world again is no change. */

import { Command } from 'commander';
import { ConfigError } from '../../config/errors.ts';
import { generateWorld } from '../../config/generate.ts';
import { replacedBy, writeWorld } from '../../config/load.ts';

interface WorldOptions {
  readonly out: string;
  readonly edges: string;
  readonly datacenters: string;
  readonly users: string;
  readonly days: string;
  readonly seed: string;
  readonly force?: boolean;
}

export function worldCommand(): Command {
  return new Command('world')
    .description('Generate a seeded world: places, latencies, demand, events, users and their friends')
    .requiredOption('--out <dir>', 'directory to write the files into; it is made where absent')
    .option('--edges <n>', 'edge points of presence', '42')
    .option('--datacenters <n>', 'datacenters; together they hold 1.3 times the highest demand', '10')
    .option('--users <n>', 'users', '20000')
    .option('--days <n>', 'days of demand in steps of 5 minutes', '7')
    .option('--seed <n>', 'the same seed gives the same world', '1')
    .option('--force', 'replace another world that is there')
    .addHelpText(
      'after',
      `
Examples:
  taiji world --out world
  taiji world --out small --edges 3 --datacenters 2 --users 500 --days 1 --seed 7
  taiji bucketize world/friends.csv.gz --users world/users.csv --out tree

A directory that holds another world is left alone, with exit 1; the same arguments again change nothing.`,
    )
    .action((options: WorldOptions) => {
      const world = generateWorld({
        edges: wholeNumber(options.edges, '--edges'),
        datacenters: wholeNumber(options.datacenters, '--datacenters'),
        users: wholeNumber(options.users, '--users'),
        days: wholeNumber(options.days, '--days'),
        seed: wholeNumber(options.seed, '--seed'),
      });
      const replaced = options.force === true ? [] : replacedBy(options.out, world);
      if (replaced.length > 0) {
        throw new ConfigError(
          `${options.out}: holds another world (${replaced.join(', ')}); choose an empty directory, or --force to replace it`,
        );
      }
      writeWorld(options.out, world);
      const { topology, demand, users, friends } = world;
      process.stdout.write(
        `${options.out}: ${topology.edges.length} edges, ${topology.datacenters.length} datacenters, ` +
          `${demand.timesMs.length} times, ${users.ids.length} users, ${friends.length / 2} ties\n`,
      );
    });
}

function wholeNumber(text: string, flag: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new ConfigError(`${flag} is "${text}", expected a whole number such as 42`);
  return Number(text);
}
