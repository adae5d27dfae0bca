/** Plans that `taiji plan --out` has written, read back: the table in force before the epoch that is planned now. */

import { createHash } from 'node:crypto';
import { parseTimeMs } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { readText } from '../../config/io/files.ts';
import type { Topology } from '../../config/topology.ts';
import { canonicalJson, type Json } from '../table/canonical-json.ts';
import { decodeTable, type RoutingTable } from '../table/routing-table.ts';

export interface PreviousPlan {
  readonly table: RoutingTable;
  readonly timeMs: number; // of its epoch
}

/** Throws a ConfigError where `file` is no plan of one service, or its table was altered. */
export function readPreviousPlan(file: string): PreviousPlan {
  const plan = readChecked(file);
  if ('services' in plan) {
    throw new ConfigError(`--previous ${file}: a plan of several services; give a --policy for each, or another plan`);
  }
  return tableOf(plan, plan, file);
}

/** [s] the tables in force, null where no file is named. Throws a ConfigError where the file has none of a service, or one of
 *  other places or another tree. */
export function previousTables(
  file: string | undefined,
  services: readonly string[],
  topology: Topology,
  treeVersion: string,
): readonly (RoutingTable | null)[] {
  if (file === undefined) return services.map(() => null);
  const plans = services.length > 1 ? readPreviousPlans(file) : null;
  return services.map((service) => {
    const { table } = plans ? previousOf(plans, service, file) : readPreviousPlan(file);
    checkPrevious(table, topology, treeVersion, file);
    return table;
  });
}

/** By service. Throws a ConfigError likewise, and where the file is of one service. */
export function readPreviousPlans(file: string): ReadonlyMap<string, PreviousPlan> {
  const plan = readChecked(file);
  if (!('services' in plan)) {
    throw new ConfigError(`--previous ${file}: a plan of one service; name one of the same services as now`);
  }
  const services = Object.entries(plan.services as Readonly<Record<string, object>>);
  return new Map(services.map(([service, of]) => [service, tableOf(of, plan, file)]));
}

/** The table of one service, to be applied. Throws a ConfigError where the file is no plan, was altered, is of edited
 *  inputs, or was held. */
export function readPlanToApply(file: string, service: string): { readonly table: unknown; readonly checksum: string } {
  const plan = readChecked(file, '');
  const part: unknown = 'services' in plan ? Reflect.get(plan.services as object, service) : plan;
  if (typeof part !== 'object' || part === null) {
    throw new ConfigError(`${file}: has no plan of service "${service}"; plan it too, or name another with --service`);
  }
  if ('whatIf' in part) throw new ConfigError(`${file}: a plan of edited inputs (--what-if), to be looked at only`);
  const table = 'table' in part ? part.table : null;
  if (table === null) throw new ConfigError(`${file}: that plan was held and has no table`);
  return { table, checksum: checksumOf(plan) };
}

/** Throws a ConfigError where the plans have none of the service. */
export function previousOf(plans: ReadonlyMap<string, PreviousPlan>, service: string, file: string): PreviousPlan {
  const found = plans.get(service);
  if (!found) {
    throw new ConfigError(
      `--previous ${file}: has no plan of service "${service}", only of ${[...plans.keys()].join(', ')}; plan the same services`,
    );
  }
  return found;
}

/** The plan without its checksum, which holds. */
function readChecked(file: string, flag = '--previous '): object {
  let plan: unknown;
  try {
    plan = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${flag}${file}: not JSON; name a file that taiji plan --out has written`);
  }
  if (typeof plan !== 'object' || plan === null || !('checksum' in plan)) throw notPlan(file, flag);
  if (!('table' in plan || 'services' in plan)) throw notPlan(file, flag);
  const { checksum, ...rest }: { checksum: unknown } = plan;
  if (checksum !== checksumOf(rest)) throw new ConfigError(`${flag}${file}: its checksum differs; it was altered`);
  return rest;
}

function notPlan(file: string, flag: string): ConfigError {
  return new ConfigError(`${flag}${file}: not a plan; name a file that taiji plan --out has written`);
}

function tableOf(service: object, plan: object, file: string): PreviousPlan {
  const table = 'table' in service ? service.table : null;
  if (table === null) throw new ConfigError(`--previous ${file}: that plan was held and has no table`);
  return {
    table: decodeTable(table, `--previous ${file}`),
    timeMs: 'time' in plan ? parseTimeMs(String(plan.time)) : Number.NaN,
  };
}

/** Throws a ConfigError where the table is of other places or another tree. */
export function checkPrevious(previous: RoutingTable, topology: Topology, treeVersion: string, file: string): void {
  const names = (items: readonly { readonly id: string }[]): string => items.map(({ id }) => id).join(' ');
  const same =
    previous.edges.join(' ') === names(topology.edges) &&
    previous.targets.map(({ datacenter }) => datacenter).join(' ') === names(topology.datacenters);
  if (!same) throw new ConfigError(`--previous ${file}: its edges and datacenters are not those of the world`);
  if (previous.treeVersion !== treeVersion) {
    throw new ConfigError(
      `--previous ${file}: made for tree ${previous.treeVersion.slice(0, 12)}, this is ${treeVersion.slice(0, 12)}; plan with the same tree`,
    );
  }
}

export function checksumOf(body: object): string {
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(JSON.stringify(body)) as Json))
    .digest('hex');
}
