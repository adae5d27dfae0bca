/** Plans that `taiji plan --out` has written, read back: the table in force before the epoch that is planned now. */

import { createHash } from 'node:crypto';
import { parseTimeMs } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { readText } from '../../config/load.ts';
import type { Topology } from '../../config/topology.ts';
import { canonicalJson, type Json } from '../table/canonical-json.ts';
import { decodeTable, type RoutingTable } from '../table/routing-table.ts';

export interface PreviousPlan {
  readonly table: RoutingTable;
  readonly timeMs: number; // of its epoch
}

/** Throws a ConfigError where `file` is no plan or its table was altered. */
export function readPreviousPlan(file: string): PreviousPlan {
  let plan: unknown;
  try {
    plan = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`--previous ${file}: not JSON; name a file that taiji plan --out has written`);
  }
  if (typeof plan !== 'object' || plan === null || !('table' in plan) || !('checksum' in plan)) {
    throw new ConfigError(`--previous ${file}: not a plan; name a file that taiji plan --out has written`);
  }
  const { checksum, ...rest } = plan;
  if (checksum !== checksumOf(rest)) throw new ConfigError(`--previous ${file}: its checksum differs; it was altered`);
  if (plan.table === null) throw new ConfigError(`--previous ${file}: that plan was held and has no table`);
  return {
    table: decodeTable(plan.table, `--previous ${file}`),
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
