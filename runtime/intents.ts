/** Which intents are in force together, and who waits for whom. (Taiji, SOSP'19, section 3.3.3: all tools hand their
 *  shifts to the pipeline, which resolves conflicts; failure mitigation comes first, and a shift that loses waits for the
 *  next eligible epoch.) Intents are gone through by rank, and one that contradicts any in force before it waits, whole:
 *  half a shift is nobody's wish. Rank is priority (failure > drill > manual > taiji), then kind by what it can hurt to
 *  wait (drain, freeze, override, shift), then what is asked for, the smaller first, then the id: so the order in which
 *  they were handed in changes nothing.
 *
 *  What contradicts what, at the edges that both are about:
 *
 *    drain     a freeze that comes before it by priority; an override to the datacenter; a shift from or to it
 *    override  a drain of its datacenter; a freeze; another fraction for the pair, or more than all of the edge; any shift
 *    shift     a drain of either datacenter; a freeze; any override; any other shift
 *    freeze    nothing: it is in force everywhere but at the edges that something before it by priority moves
 *
 *  Two drains of one datacenter agree: the one that keeps less is done. A drain goes through a freeze of its own priority:
 *  freezes stop what moves by choice. A datacenter that fails is a drain before all others, whoever says what.
 *  Declined: to solve with all of them and let limits give. The answer to "why did my shift not happen" has to be a name. */

import { type BlockedWindow, blockedAt, blockedWords } from '../config/blocked-window.ts';
import { type Intent, type IntentOf, isInForce, keepAt, priorityRank } from '../config/intent.ts';
import type { Topology } from '../config/topology.ts';
import type { DatacenterState } from './inputs.ts';

/** What intents hand from epoch to epoch. */
export interface CarriedIntents {
  readonly begun: readonly string[]; // drills in force, by id: no window stops them any more
  readonly bases: readonly IntentBase[]; // by intent
  readonly waiting: readonly Waiting[];
}

/** What a pair served when the intent began that is measured against it. */
export interface IntentBase {
  readonly intent: string;
  readonly pairs: readonly (readonly [edge: string, datacenter: string, fraction: number])[];
}

export interface Waiting {
  readonly intent: string;
  readonly for: readonly string[]; // ids of intents, and what else: `failure of ashburn`
  readonly edges?: readonly string[]; // a freeze: only there; absent: all of it waits
  readonly sinceMs: number;
}

export interface Resolved {
  readonly inForce: readonly Intent[]; // by rank
  readonly waiting: readonly Waiting[]; // by rank
}

export interface Situation {
  readonly topology: Topology;
  readonly states: readonly DatacenterState[]; // [datacenter] observed, held down, before intents
  readonly windows: readonly BlockedWindow[];
  readonly hasTable: boolean;
  readonly nowMs: number;
  readonly carried: CarriedIntents | null;
}

export function resolveIntents(intents: readonly Intent[], situation: Situation): Resolved {
  const { nowMs, carried } = situation;
  const inForce: Intent[] = [];
  const waiting: Waiting[] = [];
  const wait = (intent: Intent, reasons: readonly string[], edges?: readonly string[]): void => {
    const before = carried?.waiting.find((one) => one.intent === intent.id);
    waiting.push({ intent: intent.id, for: reasons, ...(edges && { edges }), sinceMs: before?.sinceMs ?? nowMs });
  };
  const stated = intents.filter((intent) => isInForce(intent, nowMs)).sort(byRank);
  for (const intent of stated) {
    const reasons = [
      ...failuresInTheWay(intent, situation),
      ...tooEarly(intent, situation),
      ...inForce.filter((first) => contradicts(first, intent, nowMs)).map(({ id }) => id),
      ...overfull(intent, inForce),
    ];
    if (reasons.length > 0) wait(intent, [...new Set(reasons)]);
    else inForce.push(intent);
  }
  for (const freeze of inForce) {
    if (freeze.kind !== 'freeze') continue;
    const { edges, by } = exempted(freeze, inForce, situation.topology);
    if (edges.length > 0) wait(freeze, by, edges);
  }
  return { inForce, waiting };
}

/** Edges that a freeze does not hold, for something before it by priority moves them. */
export function exempted(
  freeze: IntentOf<'freeze'>,
  inForce: readonly Intent[],
  { edges }: Topology,
): { readonly edges: readonly string[]; readonly by: readonly string[] } {
  const movers = inForce.filter(
    (one) =>
      (one.kind === 'shift' || one.kind === 'override') &&
      priorityRank(one) < priorityRank(freeze) &&
      touches(freeze, one),
  );
  const moved = edges.filter(({ id }) => movers.some(({ edge }) => (edge ?? id) === id && (freeze.edge ?? id) === id));
  return { edges: moved.map(({ id }) => id), by: movers.map(({ id }) => id) };
}

const kindRank: readonly Intent['kind'][] = ['drain', 'freeze', 'override', 'shift'];

function byRank(a: Intent, b: Intent): number {
  return (
    priorityRank(a) - priorityRank(b) ||
    kindRank.indexOf(a.kind) - kindRank.indexOf(b.kind) ||
    amountOf(a) - amountOf(b) ||
    compareTexts(placesOf(a), placesOf(b)) ||
    compareTexts(a.id, b.id)
  );
}

function amountOf(intent: Intent): number {
  if (intent.kind === 'drain') return intent.keep;
  return intent.kind === 'freeze' ? 0 : intent.fraction;
}

function placesOf(intent: Intent): string {
  const { edge = '' } = intent;
  if (intent.kind === 'shift') return `${edge} ${intent.from} ${intent.to}`;
  return `${edge} ${intent.datacenter ?? ''}`;
}

/** By code units, the same everywhere. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Does `later` have to wait for `first`, which is in force and comes before it? */
function contradicts(first: Intent, later: Intent, nowMs: number): boolean {
  if (!sharesEdge(first, later)) return false;
  switch (later.kind) {
    case 'freeze':
      return false;
    case 'drain':
      if (first.kind === 'drain') return false;
      if (first.kind === 'freeze') return priorityRank(first) < priorityRank(later) && touches(first, later);
      if (first.kind === 'override') return first.datacenter === later.datacenter && first.fraction > 0;
      return first.from === later.datacenter || first.to === later.datacenter;
    case 'override':
      if (first.kind === 'drain') {
        return first.datacenter === later.datacenter && later.fraction > 0 && keepAt(first, nowMs) < 1;
      }
      if (first.kind === 'freeze') return touches(first, later);
      if (first.kind === 'override') return first.datacenter === later.datacenter && first.fraction !== later.fraction;
      return true;
    case 'shift':
      if (first.kind === 'drain') {
        return (first.datacenter === later.from || first.datacenter === later.to) && keepAt(first, nowMs) < 1;
      }
      if (first.kind === 'freeze') return touches(first, later);
      return true;
  }
}

function sharesEdge(a: Intent, b: Intent): boolean {
  return a.edge === undefined || b.edge === undefined || a.edge === b.edge;
}

/** Is the other about what the freeze holds? One of a datacenter holds what moves there or away, of those two named. */
function touches(freeze: IntentOf<'freeze'>, other: Intent): boolean {
  const { datacenter } = freeze;
  if (!sharesEdge(freeze, other)) return false;
  if (datacenter === undefined || other.kind === 'freeze') return true;
  return other.kind === 'shift'
    ? other.from === datacenter || other.to === datacenter
    : other.datacenter === datacenter;
}

/** Overrides of an edge that give it more than all of its demand, together with this one. */
function overfull(intent: Intent, inForce: readonly Intent[]): readonly string[] {
  if (intent.kind !== 'override') return [];
  const others = inForce.filter(
    (one) => one.kind === 'override' && one.edge === intent.edge && one.datacenter !== intent.datacenter,
  ) as readonly IntentOf<'override'>[];
  const byDatacenter = new Map(others.map(({ datacenter, fraction }) => [datacenter, fraction]));
  const sum = [...byDatacenter.values()].reduce((a, b) => a + b, intent.fraction);
  return sum > 1 + 1e-9 ? others.map(({ id }) => id) : [];
}

/** What failed takes nothing, and what is held down takes nothing more, whoever wants it to. */
function failuresInTheWay(intent: Intent, { topology, states, carried }: Situation): readonly string[] {
  if (intent.kind !== 'override' && intent.kind !== 'shift') return [];
  if (intent.kind === 'override' && intent.fraction === 0) return [];
  const stateOf = (id: string): DatacenterState | undefined =>
    states[topology.datacenters.findIndex((datacenter) => datacenter.id === id)];
  const involved = intent.kind === 'override' ? [intent.datacenter] : [intent.from, intent.to];
  const failed = involved.filter((id) => (stateOf(id)?.keep ?? 1) < 1);
  if (failed.length > 0) return failed.map((id) => `failure of ${id}`);
  const to = intent.kind === 'override' ? intent.datacenter : intent.to;
  const state = stateOf(to);
  const hasBegun = carried?.bases.some((base) => base.intent === intent.id) ?? false;
  return state && !state.refill && !hasBegun ? [`hold-down of ${to}`] : [];
}

/** A drill does not begin in a blocked window, and a shift, which counts from what is served, not before anything is. */
function tooEarly(intent: Intent, { windows, hasTable, nowMs, carried }: Situation): readonly string[] {
  const reasons: string[] = [];
  const isDrill = isOfDrills(intent);
  const blocked = isDrill && !carried?.begun.includes(intent.id) ? blockedAt(windows, nowMs, 'drills') : null;
  if (blocked) reasons.push(`blocked ${blockedWords(blocked)}`);
  if (!hasTable && intent.kind === 'shift') reasons.push('the first table');
  return reasons;
}

/** What people plan, and what programs want: neither has to be now. */
function isOfDrills({ priority }: Intent): boolean {
  return priority === 'drill' || priority === 'taiji';
}

/** Null where there is nothing to carry: most epochs know no intents. `servedAt`: what a pair serves now. */
export function carriedIntents(
  { inForce, waiting }: Resolved,
  { topology, windows, carried }: Situation,
  servedAt: (edge: string, datacenter: string) => number,
): CarriedIntents | null {
  const begun = windows.length > 0 ? inForce.filter(isOfDrills).map(({ id }) => id) : [];
  const edges = topology.edges.map(({ id }) => id as string);
  const bases = inForce.flatMap((intent): IntentBase[] => {
    const known = carried?.bases.find((base) => base.intent === intent.id);
    if (known) return [known];
    const at = intent.edge === undefined ? edges : [intent.edge];
    const datacenters =
      intent.kind === 'shift' ? [intent.from, intent.to] : intent.kind === 'override' ? [intent.datacenter] : [];
    if (intent.kind === 'drain' && intent.edge !== undefined) datacenters.push(intent.datacenter);
    if (datacenters.length === 0) return [];
    const pairs = at.flatMap((edge) => datacenters.map((id) => [edge, id, servedAt(edge, id)] as const));
    return [{ intent: intent.id, pairs }];
  });
  return begun.length + bases.length + waiting.length === 0 ? null : { begun, bases, waiting };
}
