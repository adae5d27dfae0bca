/** Fractions from a file (`time,edge,datacenter,fraction`) in place of the linear program's, so that the tables can be
 *  tried on anybody's: another system's, an experiment's, a bench's. A time the file leaves out keeps the fractions of the
 *  time before; a pair it leaves out is 0. */

import { csvNumber, csvTable } from '../../config/csv.ts';
import { formatTime } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { datacenterId, edgeId } from '../../config/ids.ts';
import type { Topology } from '../../config/topology.ts';
import { pick, refuseUnknown, timeOf } from '../../config/world-rows.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';

/** The fractions in force at `timeMs`. */
export type StatedFractions = (timeMs: number) => FractionMatrix;

const columns = ['time', 'edge', 'datacenter', 'fraction'];
const wholeWithin = 1e-6;

/** Throws a ConfigError that names file and line: `fromMs` is the first epoch that needs some. */
export function parseFractions(text: string, where: string, topology: Topology, fromMs: number): StatedFractions {
  const { edges, datacenters } = topology;
  const edgeAt = new Map(edges.map(({ id }, e) => [id, e]));
  const datacenterAt = new Map(datacenters.map(({ id }, d) => [id, d]));
  const byTime = new Map<number, FractionMatrix>();
  const table = csvTable(text, where, { required: columns, others: 'none' });
  for (const row of table.rows) {
    const { line } = row;
    const [time, edge, datacenter, fraction] = pick(row, table.columns) as [string, string, string, string];
    const [e, d] = [edgeId(edge, `${where}:${line}`), datacenterId(datacenter, `${where}:${line}`)];
    refuseUnknown(edgeAt, 'edge', e, 'edges.csv', line, where);
    refuseUnknown(datacenterAt, 'datacenter', d, 'datacenters.csv', line, where);
    const timeMs = timeOf(time, line, where);
    const share = csvNumber(fraction, { where, line, column: 'fraction' }, { min: 0, max: 1, unit: '' });
    const matrix = byTime.get(timeMs) ?? new Float64Array(edges.length * datacenters.length).fill(Number.NaN);
    byTime.set(timeMs, matrix);
    const i = edgeAt.get(e)! * datacenters.length + datacenterAt.get(d)!;
    if (!Number.isNaN(matrix[i]!)) {
      throw new ConfigError(`${where}:${line}: ${edge} to ${datacenter} at ${time} is given twice; keep one row`);
    }
    matrix[i] = share;
  }
  const timesMs = [...byTime.keys()].sort((a, b) => a - b);
  for (const timeMs of timesMs) makeWhole(byTime.get(timeMs)!, topology, `${where}: ${formatTime(timeMs)}`);
  if (timesMs.length === 0 || timesMs[0]! > fromMs) {
    throw new ConfigError(`${where}: no fractions for ${formatTime(fromMs)}, the first epoch; give them or set --from`);
  }
  return (timeMs) => byTime.get(timesMs[timesMs.findLastIndex((known) => known <= timeMs)]!)!;
}

/** Rows brought to exactly 1, what is not given to 0. */
function makeWhole(matrix: FractionMatrix, { edges, datacenters }: Topology, where: string): void {
  const width = datacenters.length;
  edges.forEach(({ id }, e) => {
    const row = matrix.subarray(e * width, (e + 1) * width);
    let sum = 0;
    for (let d = 0; d < width; d++) {
      if (Number.isNaN(row[d]!)) row[d] = 0;
      sum += row[d]!;
    }
    if (Math.abs(sum - 1) > wholeWithin) {
      throw new ConfigError(`${where}: the fractions of edge ${id} add up to ${sum}, expected 1`);
    }
    for (let d = 0; d < width; d++) row[d]! /= sum;
  });
}
