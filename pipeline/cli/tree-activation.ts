/** `taiji tree activate | rollback | status`: from one bucket tree to another on a running control plane. The plan is printed
 *  before anything is begun, and the tree is handed in as a file: the control plane may be another machine. */

import { createReadStream, statSync } from 'node:fs';
import type { Command } from 'commander';
import { readTree } from '../../bucketizer/io/tree-file.ts';
import { ConfigError } from '../../config/errors.ts';
import type { TreePlan } from '../server/tree-plan.ts';
import { type AuthorFlags, authorOption, tellAs } from './author.ts';
import { duration, print, type ServiceFlags, serviceOptions, servicePath } from './served-service.ts';
import { askServer, handIn, ServerRefusal, serverCommand } from './server-client.ts';
import { waitFor } from './waiting.ts';

interface MoveFlags extends AuthorFlags, ServiceFlags {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly wait?: boolean;
  readonly timeout: string;
}

interface MoveBody {
  readonly service: string;
  readonly begun: boolean;
  readonly stored: boolean;
  readonly warning: string | null;
  readonly standstill: string | null;
  readonly plan: TreePlan;
}

interface TreesBody {
  readonly service: string;
  readonly kind: 'settled' | 'moving';
  readonly height: number;
  readonly tree: string;
  readonly next: string | null;
  readonly before: string | null;
  readonly direction: 'on' | 'back' | null;
  readonly asked: { readonly author: string; readonly reason: string; readonly since: string } | null;
  readonly progress: {
    readonly moved: number;
    readonly of: number;
    readonly epochs: number;
    readonly epochsLeft: number | null;
    readonly churn: number;
    readonly standstill: string | null;
  } | null;
}

export function treeActivateCommand(): Command {
  return moveOptions(serverCommand('activate', 'writes'))
    .description('Let users pass to another bucket tree, within churnMax')
    .argument('<tree>', 'a tree file of the height of the tree in force')
    .addHelpText(
      'after',
      `
Examples:
  taiji tree activate next-tree --reason "weekly refresh" --dry-run            whom it would move, and for how long
  taiji tree activate next-tree --reason "weekly refresh" --token-file data/token
  taiji tree activate next-tree --reason "weekly refresh" --wait --timeout 6h
  taiji tree status                                                             how far users are
  taiji tree rollback --reason "latency up"                                     and back, as slowly

Users pass one after the other, in the order of a hash of their ids; in an epoch as many as half of churnMax allows.
Nobody passes while a datacenter is out or drained, or a freeze is in force. Frontends look a user up in the next tree
where isOnNextTree(user, cut) of taiji/lookup says so; GET /v1/services/SERVICE/tree has both trees and the cut.`,
    )
    .action(async (file: string, flags: MoveFlags) => {
      const { version, height } = readTree(file);
      const path = await servicePath(flags);
      const now = (await askServer(flags, `${path}/tree`)).body as TreesBody;
      if (now.height !== height) {
        throw new ConfigError(
          `${file}: height ${height}, the tree in force has ${now.height}, and buckets of one mean nothing in the other; build it with "taiji bucketize --height ${now.height} --previous TREE"`,
        );
      }
      const asked = { tree: version, reason: flags.reason };
      const look = async () => (await tellAs(flags, `${path}/tree`, { ...asked, dryRun: true })) as MoveBody;
      const looked = await look().catch(async (error: unknown) => {
        if (!(error instanceof ServerRefusal) || error.status !== 404) throw error;
        await handIn(flags, `/v1/trees/${version}`, () => createReadStream(file), statSync(file).size);
        return look();
      });
      await begin(flags, path, `${path}/tree`, asked, looked);
    });
}

export function treeRollbackCommand(): Command {
  return moveOptions(serverCommand('rollback', 'writes'))
    .description('Go back to the tree before, or turn a move under way around, within churnMax')
    .addHelpText(
      'after',
      `
Examples:
  taiji tree rollback --reason "latency up" --dry-run
  taiji tree rollback --reason "latency up" --wait

The table goes on following the plans meanwhile. Where tables are at fault and not the tree, taiji rollback VERSION goes
back to an earlier table at once.`,
    )
    .action(async (flags: MoveFlags) => {
      const path = await servicePath(flags);
      const asked = { reason: flags.reason };
      const looked = (await tellAs(flags, `${path}/tree/rollback`, { ...asked, dryRun: true })) as MoveBody;
      await begin(flags, path, `${path}/tree/rollback`, asked, looked);
    });
}

export function treeStatusCommand(): Command {
  return serviceOptions(serverCommand('status', 'reads'))
    .description('Print which bucket tree users go by, and how far a move has come')
    .addHelpText(
      'after',
      `
Examples:
  taiji tree status
  taiji tree status --service web -o json`,
    )
    .action(async (flags: ServiceFlags) => {
      const { body } = await askServer(flags, `${await servicePath(flags)}/tree`);
      print(body, statusLines(body as TreesBody), flags.output);
    });
}

function moveOptions(command: Command): Command {
  return authorOption(serviceOptions(command))
    .requiredOption('--reason <reason>', 'why, for history and whoever is woken next')
    .option('--dry-run', 'print the plan and begin nothing')
    .option('--wait', 'return once the last user has passed')
    .option('--timeout <duration>', 'with --wait: give up after so long', duration, '12h');
}

async function begin(flags: MoveFlags, path: string, route: string, asked: object, looked: MoveBody): Promise<void> {
  const inLines = flags.output === 'table';
  if (inLines) print(looked, planLines(looked), 'table');
  if (flags.dryRun) {
    if (!inLines) print(looked, [], flags.output);
    return;
  }
  const begun = (await tellAs(flags, route, asked)) as MoveBody;
  print(begun, beginningLines(begun), flags.output);
  if (flags.wait) await waitForUsers(flags, `${path}/tree`, begun.plan.to);
}

/** Progress on stderr. Rejects with a ConfigError where the time is over, or somebody turned the move around. */
async function waitForUsers({ server, timeout }: MoveFlags, path: string, to: string): Promise<void> {
  await waitFor(timeout, 'taiji tree status says how far they are', async () => {
    const now = (await askServer({ server }, path)).body as TreesBody;
    const goal = now.direction === 'back' ? now.tree : (now.next ?? now.tree);
    const progress = statusLines(now)[0]!;
    if (goal !== to) throw new ConfigError(`--wait: users are no longer on their way to ${short(to)}: ${progress}`);
    const standstill = now.progress?.standstill;
    const missing = standstill ? `not all have passed (${standstill})` : 'not all have passed';
    return { progress, missing: now.kind === 'settled' ? null : missing };
  });
}

function planLines({ service, plan, warning, standstill }: MoveBody): readonly string[] {
  const { from, to, users, usersAll, churn, epochs, seconds, locality } = plan;
  return [
    `service/${service}: from tree ${short(from)} to ${short(to)}`,
    `  ${users} of ${usersAll} users change bucket; by the table in force that is another datacenter for ${churn.toFixed(4)} of demand`,
    `  about ${epochs} epochs of at most half of churnMax each, ${spanOf(seconds)}`,
    ...(locality
      ? [
          `  ties within segments (level ${locality.segmentLevel}): ${locality.from.toFixed(3)}, then ${locality.to.toFixed(3)}`,
        ]
      : []),
    ...(warning ? [`  ${warning}`] : []),
    ...(standstill ? [`  Nobody passes yet: ${standstill}`] : []),
  ];
}

function beginningLines({ stored }: MoveBody): readonly string[] {
  return [
    'Begun: the first users pass with the next epoch. taiji tree status says how far they are; frontends need both trees until the end.',
    ...(stored ? [] : ['Begun, and not on the disk yet: the store fails, see the alerts.']),
  ];
}

function statusLines({
  service,
  tree,
  next,
  before,
  direction,
  asked,
  progress,
  height,
}: TreesBody): readonly string[] {
  const by = asked ? [`  asked by ${asked.author} at ${asked.since}: ${asked.reason}`] : [];
  if (next === null || progress === null) {
    const back = before ? `; a rollback goes to ${short(before)}` : '';
    return [`service/${service}: all users by tree ${short(tree)} (height ${height})${back}`, ...by];
  }
  const { moved, of, epochs, epochsLeft, churn, standstill } = progress;
  const way = direction === 'back' ? `on their way back to ${short(tree)}` : `on their way to ${short(next)}`;
  const left = epochsLeft === null ? '' : `, about ${epochsLeft} to come`;
  return [
    `service/${service}: ${way}: ${moved} of the ${of} users whom it moves go by the newer tree`,
    `  ${churn.toFixed(4)} of demand changed datacenter by it in ${epochs} epochs${left}`,
    ...(standstill ? [`  Nobody passes now: ${standstill}`] : []),
    ...by,
  ];
}

function short(version: string): string {
  return version.slice(0, 12);
}

function spanOf(seconds: number): string {
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
