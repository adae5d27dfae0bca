/** Which of an epoch's wants is worth acting on. Demand is noisy, so every epoch wants something, and the next one mostly
 *  something else: with 2 % noise at each edge a want of .008 of all demand is usual and one of .015 not rare, and what
 *  two epochs in a row want of the same edge and datacenter is a tenth of that. So a want is judged by how long it has
 *  been wanted: one of `sureAt` x minShift acts at once, one of minShift in the part the epoch before wanted too, a
 *  smaller one in the part that this epoch and the three before agree on.
 *  Declined: planning on smoothed demand (it hides load); a wider tolerance for what is served than for what is planned
 *  (a datacenter then stays .02 over the level for good); a dearer move (it is the policy's to say what one is worth). */

import type { DatacenterId, EdgeId } from '../config/ids.ts';
import type { Topology } from '../config/topology.ts';
import { ppmPerUnit } from '../config/units.ts';

/** By how much an edge's fraction at a datacenter was wanted to change, and was not. Plain data. */
export interface Want {
  readonly edge: EdgeId;
  readonly datacenter: DatacenterId;
  readonly changesPpm: readonly number[]; // the last epochs', newest first; absent: 0
}

/** What an epoch wants by choice. */
export interface Wanted {
  readonly topology: Topology;
  readonly changePpm: Int32Array; // [e * D + d] of the edge's demand
  readonly share: Float64Array; // [e] of all demand
}

/** Times minShift, by how many epochs agree (this one first): what their common part must come to. */
const sureAt = 4;
const enough = [sureAt, 1, 1, 0] as const;

/** Less than this share of all demand is nothing anybody agrees on. */
const nothing = 1e-5;

/** `act`: on the changes that are wanted for long enough, none larger than what is wanted now; null: on all of it.
 *  `wait`: what to carry. */
export function judgeWant(
  wanted: Wanted,
  past: readonly Want[],
  minShift: number,
):
  | { readonly kind: 'act'; readonly agreedPpm: Int32Array | null }
  | { readonly kind: 'wait'; readonly wants: readonly Want[] } {
  const history = historyOf(wanted.topology, past);
  const agreed = wanted.changePpm.slice();
  for (const [before, least] of enough.entries()) {
    const then = history[before - 1];
    for (let i = 0; then && i < agreed.length; i++) if (agreed[i] !== 0) agreed[i] = common(agreed[i]!, then[i]!);
    const shift = movable(wanted, agreed);
    if (shift >= least * minShift && shift > nothing) return { kind: 'act', agreedPpm: before > 0 ? agreed : null };
  }
  return { kind: 'wait', wants: wantsOf(wanted.topology, wanted.changePpm, history.slice(0, -1)) };
}

/** What guards put off of a way that is worth going: the next epoch goes on without being told twice. */
export function wantsPutOff(topology: Topology, changePpm: Int32Array): readonly Want[] {
  return wantsOf(topology, changePpm, []);
}

/** What both want: the smaller of two changes in the same direction. */
function common(a: number, b: number): number {
  if (a > 0 && b > 0) return Math.min(a, b);
  return a < 0 && b < 0 ? Math.max(a, b) : 0;
}

/** Share of all demand that the changes can move: at each edge, what arrives has to leave. */
function movable({ topology, share }: Wanted, changePpm: Int32Array): number {
  const width = topology.datacenters.length;
  let sum = 0;
  for (let e = 0; e < share.length; e++) {
    let arriving = 0;
    let leaving = 0;
    for (let i = e * width; i < (e + 1) * width; i++) {
      const change = changePpm[i]!;
      if (change > 0) arriving += change;
      else leaving -= change;
    }
    sum += (share[e]! * Math.min(arriving, leaving)) / ppmPerUnit;
  }
  return sum;
}

/** [epochs before, from 1][e * D + d] ppm; places that are gone are left out. */
function historyOf(topology: Topology, past: readonly Want[]): readonly Int32Array[] {
  const width = topology.datacenters.length;
  const history = enough.slice(1).map(() => new Int32Array(topology.edges.length * width));
  if (past.length === 0) return history;
  const edgeAt = new Map(topology.edges.map(({ id }, e) => [id, e]));
  const datacenterAt = new Map(topology.datacenters.map(({ id }, d) => [id, d]));
  for (const { edge, datacenter, changesPpm } of past) {
    const [e, d] = [edgeAt.get(edge), datacenterAt.get(datacenter)];
    if (e === undefined || d === undefined) continue;
    for (let before = 0; before < history.length; before++) history[before]![e * width + d] = changesPpm[before] ?? 0;
  }
  return history;
}

function wantsOf(topology: Topology, changePpm: Int32Array, before: readonly Int32Array[]): readonly Want[] {
  const width = topology.datacenters.length;
  const kept = [changePpm, ...before];
  const wants: Want[] = [];
  for (let i = 0; i < changePpm.length; i++) {
    let ever = 0;
    for (const changes of kept) ever |= changes[i]!;
    if (ever === 0) continue;
    const { id: edge } = topology.edges[Math.floor(i / width)]!;
    const { id: datacenter } = topology.datacenters[i % width]!;
    wants.push({ edge, datacenter, changesPpm: kept.map((changes) => changes[i]!) });
  }
  return wants;
}
