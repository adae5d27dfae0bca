/** What speaks against putting a table into force that no epoch has just planned, in words for whoever wants to. Some of
 *  it can be forced, with a reason; a table that sends users where they may not be cannot. */

import type { Policy } from '../../config/policy.ts';
import type { Topology } from '../../config/topology.ts';
import type { Examination } from '../epoch/examination.ts';

export interface Refusal {
  readonly limit: 'valid' | 'churnMax' | 'onloadMax' | 'shareMax' | 'utilizationMax' | 'freeze' | 'ramp';
  readonly detail: string;
  readonly forcible: boolean;
}

/** Whole buckets miss fractions by this much, and a plan that fits by its fractions must not fail here. */
const wholeBuckets = 0.005;

/** `isReturn`: to a table that was in force before. It goes at once: what it moves is what somebody wants undone. */
export function refusalsOf(
  examined: Examination,
  { topology, policy }: { readonly topology: Topology; readonly policy: Policy },
  isReturn: boolean,
): readonly Refusal[] {
  if (examined.mends.kind === 'rejected') {
    return examined.mends.problems.map((detail) => ({ limit: 'valid', detail, forcible: false }));
  }
  const overload = examined.validation.kind === 'rejected' ? examined.validation.problems : [];
  const refusals: Refusal[] = overload.map((detail) => ({ limit: 'utilizationMax', detail, forcible: true }));
  if (isReturn) return refusals;
  return [...churnRefusals(examined, topology, policy), ...placementRefusals(examined, topology, policy), ...refusals];
}

/** Edges whose users change datacenter, the most of their demand first; ties by place in the topology. */
export function movedEdges(
  { churn }: Examination,
  topology: Topology,
): readonly { readonly edge: string; readonly share: number }[] {
  return topology.edges
    .map(({ id }, e) => ({ edge: id as string, share: churn.byEdge[e]! }))
    .filter(({ share }) => share > 0)
    .sort((a, b) => b.share - a.share);
}

function churnRefusals(examined: Examination, topology: Topology, policy: Policy): Refusal[] {
  const { churn, frozenBy, frozenEdges } = examined;
  const { churnMax } = policy.spec.guards;
  const refusals: Refusal[] = [];
  if (examined.ashore > 1e-9) {
    const share = examined.ashore.toFixed(3);
    const detail = `${share} of demand is not aboard the ramp, and epochs would bring it back to where it was imported`;
    refusals.push({ limit: 'ramp', detail, forcible: true });
  }
  if (churn.elective > 0) {
    const moved = new Set(movedEdges(examined, topology).map(({ edge }) => edge));
    const edges = frozenEdges.filter((edge) => moved.has(edge));
    const detail = frozenBy ?? (edges.length > 0 ? `${edges.join(', ')}: frozen` : null);
    if (detail !== null) refusals.push({ limit: 'freeze', detail, forcible: true });
  }
  if (churn.elective > churnMax + 1e-9) {
    const [most] = movedEdges(examined, topology);
    const where = most ? `, most of it at ${most.edge} (${most.share.toFixed(2)} of its demand)` : '';
    const detail = `churn ${churn.elective.toFixed(3)} of demand is over ${churnMax}${where}`;
    refusals.push({ limit: 'churnMax', detail, forcible: true });
  }
  return refusals;
}

function placementRefusals(examined: Examination, topology: Topology, policy: Policy): Refusal[] {
  const { before, after, served, churn } = examined;
  const { onloadMax, shareMax } = policy.spec.guards;
  const refusals: Refusal[] = [];
  topology.datacenters.forEach(({ id }, d) => {
    const gain = after[d]! - before[d]!;
    // What had to leave elsewhere arrives here beside what moves by choice; the two cannot be told apart.
    if (churn.forced > 0 || !(gain > onloadMax + wholeBuckets)) return;
    const detail = `${id} would gain ${gain.toFixed(3)} of its capacity, over ${onloadMax}`;
    refusals.push({ limit: 'onloadMax', detail, forcible: true });
  });
  const width = topology.datacenters.length;
  topology.edges.forEach((edge, e) => {
    topology.datacenters.forEach((datacenter, d) => {
      const fraction = served[e * width + d]!;
      if (fraction <= shareMax + wholeBuckets || churn.byEdge[e] === 0) return;
      const detail = `${edge.id} would send ${fraction.toFixed(3)} of its demand to ${datacenter.id}, over ${shareMax}`;
      refusals.push({ limit: 'shareMax', detail, forcible: true });
    });
  });
  return refusals;
}

/** One line; null where nothing speaks against it, or it may be forced and is. */
export function refusalText(refusals: readonly Refusal[], forced: boolean): string | null {
  const standing = refusals.filter(({ forcible }) => !(forced && forcible));
  if (standing.length === 0) return null;
  const hard = standing.filter(({ forcible }) => !forcible);
  const said = (hard.length > 0 ? hard : standing).map(({ detail }) => detail);
  const more = said.length > sentencesMax ? [`and ${said.length - sentencesMax} more`] : [];
  const mend = hard.length > 0 ? 'this cannot be forced' : '--force needs a reason';
  return `${[...said.slice(0, sentencesMax), ...more].join('; ')}; ${mend}`;
}

const sentencesMax = 5;
