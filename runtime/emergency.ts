/** Survive the loss of any one datacenter: when one is lost, its load falls on the others by the edges' fallback rule
 *  (config/fallback.ts: by capacity, among those the edge may use) at once and without the control plane, and none of them
 *  may then stand above `emergencyMax`. What the fallback rule places, a new solve can place too, so one family of rows
 *  proves both.
 *
 *  Where every edge may go anywhere and the datacenters are balanced at utilization u, the loss of l leaves all others at
 *  u x total / (total - capacity of l), which no placement can better: there the rows bind only what strays from balance
 *  (`closest-first`, `priced`, the tolerance), and where they are broken more capacity is the only mend.
 *
 *  Load is added up once a pool and once a class (service and set of datacenters that take over), so that the rows of
 *  all losses stay a few columns wide. */

import type { ProgramBuilder } from './lp/builder.ts';
import { type Model, totalLoad } from './model.ts';

/** Rows that the columns of the load itself go into. */
export interface EmergencyRows {
  readonly poolRow: Int32Array; // [k]
  readonly classRow: Int32Array; // [c * D + d]
}

/** `slack` makes a column that takes what is over a row's limit. */
export function putEmergency(lp: ProgramBuilder, model: Model, slack: (most: number) => number): EmergencyRows | null {
  const { datacenters, resources, capacity, use, emergencyMax } = model;
  if (!Number.isFinite(emergencyMax)) return null;
  const classes = classesOf(model);
  const staying = poolLoad(model, (i) => model.base[i]! + model.settled[i]!);
  const pools = staying.length;
  const most = 2 * totalLoad;
  const sumRow = (load: number): number => lp.row(-load, -load);
  const poolRow = Int32Array.from(staying, sumRow);
  const rowOfClass = classes.staying.map((loads) => Int32Array.from(loads, sumRow));
  // [lost * K + k]; -1 where nothing falls
  const lossRow = Int32Array.from({ length: datacenters * pools }, (_, at) => {
    const [lost, k] = [Math.floor(at / pools), at % pools];
    if (k % datacenters === lost || !(capacity[k]! > 0)) return -1;
    return lp.row(Number.NEGATIVE_INFINITY, emergencyMax * capacity[k]!);
  });
  for (let k = 0; k < pools; k++) {
    lp.column(0, 0, most);
    lp.put(poolRow[k]!, -1);
    for (let at = k; at < lossRow.length; at += pools) if (lossRow[at]! >= 0) lp.put(lossRow[at]!, 1);
  }
  classes.members.forEach((first, g) => {
    for (let lost = 0; lost < datacenters; lost++) {
      lp.column(0, 0, most);
      lp.put(rowOfClass[g]![lost]!, -1);
      for (let k = 0; k < pools; k++) {
        const row = lossRow[lost * pools + k]!;
        if (row < 0) continue;
        const each = use[model.service[first]! * resources + Math.floor(k / datacenters)]!;
        const falls = fallbackShare(model, first, lost, k % datacenters) * each;
        if (falls > 0) lp.put(row, falls);
      }
    }
  });
  for (const row of lossRow) {
    if (row < 0) continue;
    slack(totalLoad);
    lp.put(row, -1);
  }
  const classRow = Int32Array.from(
    model.base,
    (_, i) => rowOfClass[classes.classOf[Math.floor(i / datacenters)]!]![i % datacenters]!,
  );
  return { poolRow, classRow };
}

/** [k] utilization after the loss of `lost`, by the fallback rule, of load [c * D + d]; 0 at the lost one itself. */
export function utilizationWithout(model: Model, load: (i: number) => number, lost: number): Float64Array {
  const { datacenters, resources, capacity, use } = model;
  const after = poolLoad(model, load);
  for (let c = 0; c < model.commodities; c++) {
    const falling = load(c * datacenters + lost);
    if (falling === 0) continue;
    for (let d = 0; d < datacenters; d++) {
      const share = fallbackShare(model, c, lost, d);
      for (let r = 0; r < resources; r++) {
        after[r * datacenters + d]! += falling * share * use[model.service[c]! * resources + r]!;
      }
    }
  }
  return after.map((units, k) => (k % datacenters === lost || capacity[k] === 0 ? 0 : units / capacity[k]!));
}

/** [k] load of the pools, in their own units. */
function poolLoad(model: Model, load: (i: number) => number): Float64Array {
  const { datacenters, resources, use } = model;
  const pools = new Float64Array(resources * datacenters);
  for (let i = 0; i < model.base.length; i++) {
    const s = model.service[Math.floor(i / datacenters)]!;
    for (let r = 0; r < resources; r++)
      pools[r * datacenters + (i % datacenters)]! += load(i) * use[s * resources + r]!;
  }
  return pools;
}

/** Of the commodity's load at `lost`, the share that falls on d. */
function fallbackShare({ fallbackWeight, datacenters }: Model, c: number, lost: number, d: number): number {
  if (d === lost) return 0;
  let others = 0;
  for (let k = 0; k < datacenters; k++) if (k !== lost) others += fallbackWeight[c * datacenters + k]!;
  return others > 0 ? fallbackWeight[c * datacenters + d]! / others : 0;
}

interface Classes {
  readonly classOf: Int32Array; // [c]
  readonly members: readonly number[]; // [g] one commodity of it
  readonly staying: readonly Float64Array[]; // [g][d] load there unless moved
}

/** Commodities of one service whose load falls alike. */
function classesOf(model: Model): Classes {
  const { commodities, datacenters, fallbackWeight, base, settled } = model;
  const known = new Map<string, number>();
  const members: number[] = [];
  const staying: Float64Array[] = [];
  const classOf = new Int32Array(commodities);
  for (let c = 0; c < commodities; c++) {
    const key = `${model.service[c]!} ${fallbackWeight.subarray(c * datacenters, (c + 1) * datacenters).join(' ')}`;
    let g = known.get(key);
    if (g === undefined) {
      g = members.length;
      known.set(key, g);
      members.push(c);
      staying.push(new Float64Array(datacenters));
    }
    classOf[c] = g;
    for (let d = 0; d < datacenters; d++) {
      staying[g]![d]! += base[c * datacenters + d]! + settled[c * datacenters + d]!;
    }
  }
  return { classOf, members, staying };
}
