/** Latency paid for friends to meet (`localityPriceMs`; nobody does this: the paper's runtime does not know who is
 *  connected). A tie between edges e and f can meet where both use the same datacenter: in `sum over d of min(x_ed, x_fd)`
 *  of its cases. Worth of all ties that can meet, as a term of the program:
 *
 *      price x sum over pairs of edges of ties(e, f) x sum over d of min(x_ed, x_fd)
 *
 *  Every edge is asked to meet the others where they are now. With x_fd as served, min(x_ed, x_fd) is a concave function of
 *  x_ed alone: it is worth `ties` a unit as far as the friends are, and nothing further. Summed over all friends it is a
 *  slope that falls at each x_fd, so the columns by which e's load arrives and leaves are cut into steps of falling worth.
 *  That adds no rows, needs no choice among the pairs of edges, and costs the engine little.
 *
 *  When all look for the others where they were, two may pass each other. Three things prevent that: the slope falls (with
 *  the straight tangent in its place edges chased each other all day), damping makes those who pass meet half way, and a
 *  tenth of the worth is paid for staying where a friend is not yet: with all of it paid so, the sum is a lower bound of the
 *  true worth that touches it where things stand, and no epoch could lose by moving. But it would not move either: an edge
 *  that waits for its friends keeps them where it is.
 *
 *  Declined: columns for the overlap of pairs, `o_efd <= x_ed, o_efd <= x_fd`. All 861 pairs of 42 edges take a second an
 *  epoch. The 80 heaviest take four times what the program takes without, and buy less for more latency and movement. */

import { linearMsPerCost, squaredMsPerCost } from './costs.ts';
import type { RuntimeInputs } from './inputs.ts';

/** What the first load of a commodity to arrive at or leave a datacenter wins or loses in ties, then the next. */
export interface Step {
  readonly width: number; // load units; of the last step Infinity
  readonly worth: number; // cost units, a unit of load
}

/** [c * D + d] falling worth arriving, rising worth leaving. */
export interface Meeting {
  readonly arriving: readonly (readonly Step[])[];
  readonly leaving: readonly (readonly Step[])[];
}

/** Share of the worth that is paid for staying where a friend is not yet. */
export const patience = 0.1;

/** So small a share of an edge's demand makes no difference to whom it meets. It keeps the steps few. */
const nearby = 0.02;

/** A unit of load is worth no more than this, in cost units, however few of an edge are awake: more than any round trip,
 *  less than it is worth to keep a limit. */
const worthMax = 500;

/** Nobody to meet. */
const nobody: readonly Step[] = [{ width: Number.POSITIVE_INFINITY, worth: 0 }];

/** Of all ties, in cost units times load units. So much is worth the most there is to every edge; more is no number soon. */
const priceMax = 1e12;

/** `whereTheyAre` [c * D + d]: where each commodity's users are, as fractions (of what the states let stay, they may sum to less than
 *  1). `load` [c] and the steps are in load units. Null where no policy pays or nothing is known of ties. */
export function meetingAt(
  services: readonly RuntimeInputs[],
  load: Float64Array,
  whereTheyAre: () => Float64Array,
  patient = patience,
): Meeting | null {
  const isPaying = ({ policy, edgeTies }: RuntimeInputs): boolean => policy.spec.localityPriceMs > 0 && !!edgeTies;
  if (!services.some(isPaying)) return null;
  const at = whereTheyAre();
  const { edges, datacenters } = services[0]!.topology;
  const pairs = edges.length * datacenters.length;
  const arriving = new Array<readonly Step[]>(services.length * pairs).fill(nobody);
  const leaving = arriving.slice();
  services.forEach((inputs, s) => {
    const { edgeTies } = inputs;
    if (!isPaying(inputs) || !edgeTies) return;
    const ownLoad = load.subarray(s * edges.length, (s + 1) * edges.length);
    const ownAt = at.subarray(s * pairs, (s + 1) * pairs);
    const price = worthOfAllTies(inputs, ownLoad, ownAt);
    for (let e = 0; e < edges.length; e++) {
      const friends = friendsOf(edgeTies, e, edges.length, price);
      const all = friends.reduce((sum, { worth }) => sum + worth, 0);
      const scale = Math.min(1, (worthMax * ownLoad[e]!) / all) / ownLoad[e]!;
      for (let d = 0; d < datacenters.length; d++) {
        const bends = bendsOf(friends, ownAt, e * datacenters.length + d, d, datacenters.length, patient);
        if (bends.length === 0) continue;
        const i = s * pairs + e * datacenters.length + d;
        const here = ownAt[e * datacenters.length + d]!;
        arriving[i] = stepsUp(bends, here, ownLoad[e]!, scale);
        leaving[i] = stepsDown(bends, here, ownLoad[e]!, scale);
      }
    }
  });
  return { arriving, leaving };
}

/** Cost units times load units. The price is stated in ms of the mean over all users of the service; where latency is
 *  squared, its slope at the mean converts it. */
function worthOfAllTies({ topology, policy }: RuntimeInputs, load: Float64Array, at: Float64Array): number {
  const { objective, localityPriceMs } = policy.spec;
  const width = topology.datacenters.length;
  let all = 0;
  let placed = 0;
  let sumMs = 0;
  for (let e = 0; e < load.length; e++) {
    all += load[e]!;
    for (let i = e * width; i < (e + 1) * width; i++) {
      placed += load[e]! * at[i]!;
      sumMs += load[e]! * at[i]! * topology.rttMs[i]!;
    }
  }
  const meanMs = placed > 0 ? sumMs / placed : 0;
  const cost =
    objective === 'balance' ? (2 * meanMs * localityPriceMs) / squaredMsPerCost : localityPriceMs / linearMsPerCost;
  return Math.min(cost * all, priceMax);
}

interface Friends {
  readonly edge: number;
  readonly worth: number; // of all its ties with the edge meeting
}

function friendsOf(edgeTies: Float64Array, e: number, edges: number, price: number): readonly Friends[] {
  const friends: Friends[] = [];
  for (let f = 0; f < edges; f++) {
    const ties = edgeTies[e * edges + f]! + edgeTies[f * edges + e]!;
    if (f !== e && ties > 0) friends.push({ edge: f, worth: price * ties });
  }
  return friends;
}

/** The slope of the worth falls by `worth` where the edge's share passes `share`. */
interface Bend {
  readonly share: number;
  readonly worth: number;
}

/** Ascending by share. */
function bendsOf(
  friends: readonly Friends[],
  at: Float64Array,
  own: number,
  d: number,
  width: number,
  patient: number,
): Bend[] {
  const here = at[own]!;
  const bends: Bend[] = [];
  for (const { edge, worth } of friends) {
    const there = at[edge * width + d]!;
    if (there > nearby) bends.push({ share: there, worth: there < here ? worth * (1 - patient) : worth });
    if (there < here && here > nearby && patient > 0) bends.push({ share: here, worth: worth * patient });
  }
  return bends.sort((a, b) => a.share - b.share);
}

/** From `here` up. Bends close to each other count where the first of them is met. */
function stepsUp(bends: readonly Bend[], here: number, load: number, scale: number): Step[] {
  const steps: Step[] = [];
  let worth = 0;
  for (const bend of bends) if (bend.share > here + nearby) worth += bend.worth;
  let from = here;
  for (let k = bends.findIndex(({ share }) => share > here + nearby); k >= 0 && k < bends.length; ) {
    const { share } = bends[k]!;
    steps.push({ width: (share - from) * load, worth: worth * scale });
    for (; k < bends.length && bends[k]!.share <= share + nearby; k++) worth -= bends[k]!.worth;
    from = share;
  }
  return [...steps, ...nobody];
}

/** From `here` down. */
function stepsDown(bends: readonly Bend[], here: number, load: number, scale: number): Step[] {
  const steps: Step[] = [];
  let worth = 0;
  let k = bends.length - 1;
  for (; k >= 0 && bends[k]!.share >= here - nearby; k--) worth += bends[k]!.worth;
  let from = here;
  while (k >= 0) {
    const { share } = bends[k]!;
    steps.push({ width: (from - share) * load, worth: worth * scale });
    for (; k >= 0 && bends[k]!.share >= share - nearby; k--) worth += bends[k]!.worth;
    from = share;
  }
  return [...steps, { width: Number.POSITIVE_INFINITY, worth: worth * scale }];
}
