/** An Envoy route: `weighted_clusters`, wherever it stands in a route configuration or a config dump, spelled as in YAML or as
 *  in JSON. Several are told apart by the virtual host or route that is named nearest above them; a dump has the same one
 *  at several places. */

import { ConfigError } from '../../config/errors.ts';
import { oneOf } from './one-of.ts';

export function envoyWeights(document: unknown, cluster: string | null, where: string): ReadonlyMap<string, number> {
  const found = new Map<string, object[]>();
  const visit = (value: unknown, name: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const own: unknown = Reflect.get(value, 'name');
    const here = typeof own === 'string' && own !== '' ? own : name;
    for (const [key, child] of Object.entries(value)) {
      if (key === 'weighted_clusters' || key === 'weightedClusters') {
        found.set(here, [...(found.get(here) ?? []), Object(child)]);
      } else visit(child, here);
    }
  };
  visit(document, 'route');
  if (found.size === 0) {
    throw new ConfigError(`${where}: JSON of neither BFE ("Clusters") nor an Envoy route ("weighted_clusters")`);
  }
  const [first, ...others] = oneOf(found, cluster, 'route', where).map((route) => weightsOf(route, where));
  if (others.some((other) => !sameWeights(other, first!))) {
    throw new ConfigError(
      `${where}: ${cluster ?? [...found.keys()][0]!} has weighted clusters twice, and they differ; keep one of them`,
    );
  }
  return first!;
}

function weightsOf(route: object, where: string): ReadonlyMap<string, number> {
  if ('runtime_key_prefix' in route || 'runtimeKeyPrefix' in route) {
    throw new ConfigError(`${where}: runtime_key_prefix lets the runtime say other weights; write those into a CSV`);
  }
  const clusters: unknown = Reflect.get(route, 'clusters');
  if (!Array.isArray(clusters)) throw new ConfigError(`${where}: weighted_clusters has no list "clusters"`);
  const named = new Map<string, number>();
  for (const one of clusters) {
    const name: unknown = Reflect.get(Object(one), 'name');
    const weight: unknown = Reflect.get(Object(one), 'weight') ?? 0; // Envoy leaves out what is 0
    if (typeof name !== 'string') {
      throw new ConfigError(`${where}: a weighted cluster has no name (cluster_header is not read); name each`);
    }
    if (!(typeof weight === 'number' && weight >= 0 && Number.isFinite(weight))) {
      throw new ConfigError(
        `${where}: weight of ${name} is ${JSON.stringify(weight)}, expected a number of at least 0`,
      );
    }
    if (named.has(name)) throw new ConfigError(`${where}: cluster "${name}" is given twice; keep one`);
    named.set(name, weight);
  }
  return named;
}

function sameWeights(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([name, weight]) => b.get(name) === weight);
}
