/** What sends each edge's users where before Taiji does: weights of load balancers, or fractions measured, as CSV. Weights
 *  of an edge may add up to anything, 60 and 40 as well as 0.6 and 0.4; only their proportions count. */

import { csvNumber, csvTable } from './csv.ts';
import { didYouMean } from './did-you-mean.ts';
import { parseTimeMs } from './duration.ts';
import { ConfigError, quoteStart } from './errors.ts';
import type { Topology } from './topology.ts';

/** `[e * D + d]`, every row sums to 1 ± 1e-9. `text` has columns `edge,datacenter,weight`, or `time,edge,datacenter,fraction`,
 *  of which the rows of the latest time count. Throws a ConfigError, with file and line, where a place is unknown, a pair is
 *  given twice, a weight is none, or an edge has none. */
export function parseEdgeWeights(text: string, topology: Topology, where: string): Float64Array {
  const isSeries = /^\uFEFF?[^\r\n]*\bfraction\b/.test(text);
  const named = isSeries ? ['time', 'edge', 'datacenter', 'fraction'] : ['edge', 'datacenter', 'weight'];
  const { columns, rows } = csvTable(text, where, { required: named, others: 'none' });
  const edges = topology.edges.map(({ id }) => id as string);
  const datacenters = topology.datacenters.map(({ id }) => id as string);
  const width = datacenters.length;
  let latestMs = Number.NEGATIVE_INFINITY;
  let weights = new Float64Array(edges.length * width).fill(Number.NaN);
  for (const { line, fields } of rows) {
    const [edge = '', datacenter = '', weight = ''] = columns.slice(isSeries ? 1 : 0).map((column) => fields[column]!);
    if (isSeries) {
      const timeMs = parseTimeMs(fields[columns[0]!]!);
      if (Number.isNaN(timeMs)) {
        throw new ConfigError(
          `${where}:${line}: time is ${quoteStart(fields[columns[0]!]!)}, expected a time such as 2026-03-05T00:00:00Z`,
        );
      }
      if (timeMs < latestMs) continue;
      if (timeMs > latestMs) weights = weights.fill(Number.NaN);
      latestMs = timeMs;
    }
    const e = indexOf(edges, edge, 'edge', `${where}:${line}`);
    const d = indexOf(datacenters, datacenter, 'datacenter', `${where}:${line}`);
    if (!Number.isNaN(weights[e * width + d]!)) {
      throw new ConfigError(`${where}:${line}: edge "${edge}" has "${datacenter}" twice; keep one`);
    }
    const column = named.at(-1)!;
    weights[e * width + d] = csvNumber(weight, { where, line, column }, { min: 0, max: 1e12, unit: '' });
  }
  return inProportion(weights, topology, where);
}

/** The same of weights by name, an entry an edge. `where` names the source of an edge's. Throws a ConfigError where a place is
 *  unknown, or an edge has none. */
export function edgeWeightsOf(
  byEdge: ReadonlyMap<string, ReadonlyMap<string, number>>,
  topology: Topology,
  where: (edge: string) => string,
): Float64Array {
  const edges = topology.edges.map(({ id }) => id as string);
  const datacenters = topology.datacenters.map(({ id }) => id as string);
  const weights = new Float64Array(edges.length * datacenters.length);
  for (const [edge, named] of byEdge) {
    const e = indexOf(edges, edge, 'edge', where(edge));
    for (const [datacenter, weight] of named) {
      if (weight === 0 && !datacenters.includes(datacenter)) continue; // nobody is there
      weights[e * datacenters.length + indexOf(datacenters, datacenter, 'datacenter', where(edge))]! += weight;
    }
  }
  const missing = edges.filter((edge) => !byEdge.has(edge));
  if (missing.length > 0) {
    const more = missing.length > 5 ? ` and ${missing.length - 5} more` : '';
    throw new ConfigError(
      `no weights of the edges ${missing.slice(0, 5).join(', ')}${more}; give EDGE=FILE for each edge of the topology`,
    );
  }
  return inProportion(weights, topology, [...byEdge.keys()].map(where).join(', ').slice(0, 200));
}

/** Rows brought to a sum of 1, what nobody said (NaN) to 0. */
function inProportion(weights: Float64Array, topology: Topology, where: string): Float64Array {
  const edges = topology.edges.map(({ id }) => id as string);
  const width = topology.datacenters.length;
  edges.forEach((edge, e) => {
    const row = weights.subarray(e * width, (e + 1) * width);
    const total = row.reduce((sum, weight) => sum + (Number.isNaN(weight) ? 0 : weight), 0);
    if (total === 0) {
      throw new ConfigError(
        `${where}: edge "${edge}" has no weight above 0; say where its users go today, a row for each datacenter`,
      );
    }
    row.forEach((weight, d) => {
      row[d] = Number.isNaN(weight) ? 0 : weight / total;
    });
  });
  return weights;
}

function indexOf(ids: readonly string[], id: string, noun: string, where: string): number {
  const index = ids.indexOf(id);
  if (index >= 0) return index;
  throw new ConfigError(`${where}: ${noun} ${quoteStart(id)} is not in the topology${didYouMean(id, ids)}`);
}
