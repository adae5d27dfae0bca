/** `taiji apply`: puts a plan into force, one that waits at the control plane or one from a file. */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { ConfigError } from '../../config/errors.ts';
import { type AuthorFlags, authorOption, tellAs } from './author.ts';
import { readPlanToApply } from './plan-file.ts';
import { type DoneBody, doneLines, print, type ServiceFlags, serviceOptions, servicePath } from './served-service.ts';
import { askServer, serverCommand } from './server-client.ts';
import { type WaitFlags, waitForEdges, waitOptions } from './wait-for-edges.ts';

interface ApplyFlags extends AuthorFlags, ServiceFlags, WaitFlags {
  readonly reason?: string;
  readonly planChecksum?: string;
  readonly force?: boolean;
  readonly allAtOnce?: boolean;
}

interface Waiting {
  readonly id: string;
  readonly service: string;
  readonly checksum: string;
}

export function applyCommand(): Command {
  return waitOptions(authorOption(serviceOptions(serverCommand('apply', 'writes'))))
    .description(
      'Put a plan into force: one that waits at the control plane, or a file that taiji plan --out has written',
    )
    .argument('<plan>', 'a plan’s id (taiji get plans), or a file')
    .option('--plan-checksum <sha256>', 'only if the plan has this checksum: it is what was looked at')
    .option('--force', 'over limits that can be forced; needs --reason')
    .option('--all-at-once', 'at every edge, without the policy’s canary; needs --reason')
    .option('--reason <reason>', 'why, for history')
    .addHelpText(
      'after',
      `
Examples:
  taiji get plans
  taiji apply 3f9a0c --plan-checksum 3f9a0c... --token-file data/token --wait
  taiji plan --world world --policy policy.yaml --tree tree --previous before.json --out plan.json
  taiji apply plan.json --token-file data/token --dry-run
  taiji apply plan.json --force --reason "agreed with the on-call of tokyo"

A plan applies to the table it was made on: once another version is in force it is refused (taiji freeze keeps the version
while a plan is looked at; --force then applies it), and so is a file whose contents are not those of its checksum. What speaks against a plan (churn, onload, utilization, a freeze) is said with the
numbers; --force goes over it, and is recorded with its reason. Exit 3: its canary failed (with --wait).`,
    )
    .option('--dry-run', 'say what it would do, and what speaks against it, and change nothing')
    .action(apply);
}

async function apply(name: string, flags: ApplyFlags & { readonly dryRun?: boolean }): Promise<void> {
  const { force, allAtOnce, reason, planChecksum } = flags;
  if ((force || allAtOnce) && reason === undefined) {
    throw new ConfigError(`${force ? '--force' : '--all-at-once'} needs a reason: --reason "..."`);
  }
  const plan = existsSync(name) ? await brought(name, flags) : await waiting(name, planChecksum, flags);
  if (flags.dryRun === true) {
    const { body } = await askServer(flags, `/v1/plans/${plan.id}`);
    const { table: _, ...shown } = body as PlanAnswer;
    print(shown, planLines(shown), flags.output);
    return;
  }
  const asked = {
    checksum: plan.checksum,
    ...(reason !== undefined && { reason }),
    ...(force && { force }),
    ...(allAtOnce && { allAtOnce }),
  };
  const body = await tellAs(flags, `/v1/plans/${plan.id}/apply`, asked);
  print(body, doneLines(body as DoneBody), flags.output);
  if (flags.wait === true) await waitForEdges(flags, `/v1/services/${encodeURIComponent(plan.service)}`);
}

/** A file's table, handed in: the control plane makes a plan of it, on the table in force. */
async function brought(file: string, flags: ApplyFlags): Promise<Waiting> {
  const path = await servicePath(flags);
  const service = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  const { table, checksum } = readPlanToApply(file, service);
  if (flags.planChecksum !== undefined && flags.planChecksum !== checksum) {
    throw new ConfigError(
      `--plan-checksum ${flags.planChecksum}: ${file} has ${checksum}; it is not the plan that was looked at`,
    );
  }
  const body = await tellAs(flags, `${path}/plans`, { table });
  return (body as { readonly plan: Waiting }).plan;
}

async function waiting(id: string, checksum: string | undefined, flags: ApplyFlags): Promise<Waiting> {
  const { body } = await askServer(flags, `/v1/plans/${encodeURIComponent(id)}`);
  const plan = body as Waiting;
  if (checksum === undefined || checksum === plan.checksum) return plan;
  throw new ConfigError(
    `--plan-checksum ${checksum}: plan ${plan.id} has ${plan.checksum}; it is not the plan that was looked at`,
  );
}

interface PlanAnswer extends Waiting {
  readonly table?: unknown;
  readonly base: { readonly version: number };
  readonly churn: { readonly forced: number; readonly elective: number };
  readonly moved: readonly { readonly edge: string; readonly share: number }[];
  readonly utilization: Readonly<Record<string, { readonly before: number; readonly after: number }>>;
  readonly refusals: readonly { readonly limit: string; readonly detail: string; readonly forcible: boolean }[];
}

function planLines({ id, base, churn, moved, utilization, refusals, checksum }: PlanAnswer): readonly string[] {
  const edges = moved.map(({ edge, share }) => `${edge} ${share.toFixed(4)}`);
  const full = Object.entries(utilization).map(
    ([dc, { before, after }]) => `${dc} ${before.toFixed(3)} -> ${after.toFixed(3)}`,
  );
  return [
    `plan         ${id}, on version ${base.version}`,
    `churn        forced ${churn.forced.toFixed(4)}, elective ${churn.elective.toFixed(4)}`,
    `moved        ${edges.join(', ') || 'nobody'}`,
    `utilization  ${full.join(', ')}`,
    ...refusals.map(({ detail, forcible }) => `against      ${detail}${forcible ? '' : ' (cannot be forced)'}`),
    `checksum     ${checksum}`,
  ];
}
