/** BFE's gslb.data: of each cluster the weights of its sub-clusters, `{"Clusters": {"c": {"GSLB_BLACKHOLE": 0, "idc.bj": 60}}}`.
 *  What goes into the black hole goes nowhere, and is left out. */

import { ConfigError } from '../../config/errors.ts';
import { oneOf } from './one-of.ts';

const blackHole = 'GSLB_BLACKHOLE';

export function bfeWeights(clusters: unknown, cluster: string | null, where: string): ReadonlyMap<string, number> {
  if (!isRecord(clusters)) throw new ConfigError(`${where}: Clusters is no object, expected one entry a cluster`);
  const weights = oneOf(new Map(Object.entries(clusters)), cluster, 'cluster', where);
  if (!isRecord(weights))
    throw new ConfigError(`${where}: a cluster is no object, expected a weight for each sub-cluster`);
  const named = new Map<string, number>();
  for (const [name, weight] of Object.entries(weights)) {
    if (!(typeof weight === 'number' && weight >= 0 && Number.isFinite(weight))) {
      throw new ConfigError(
        `${where}: weight of ${name} is ${JSON.stringify(weight)}, expected a number of at least 0`,
      );
    }
    if (name !== blackHole) named.set(name, weight);
  }
  return named;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
