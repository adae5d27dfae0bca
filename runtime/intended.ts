/** What the intents in force make of an epoch's inputs. A drain is a state, of a datacenter or of one pair; a shift and an
 *  override are pins that end, before the policy's own; a freeze holds a service, an edge or a datacenter. So everything
 *  they want goes through the one program, under its limits in their written order: no intent lifts a datacenter over its
 *  capacity while another could take the load, whoever forces it, for pins give before that does. */

import { blockedAt, blockedWords } from '../config/blocked-window.ts';
import { type Intent, type IntentOf, keepAt } from '../config/intent.ts';
import type { Policy } from '../config/policy.ts';
import type { Topology } from '../config/topology.ts';
import type { Fraction } from '../config/units.ts';
import type { FractionMatrix } from './fractions.ts';
import type { DatacenterState, PairDrain } from './inputs.ts';
import { type CarriedIntents, carriedIntents, exempted, resolveIntents, type Situation } from './intents.ts';
import { effectiveStates } from './states.ts';

export interface Intended {
  readonly states: readonly DatacenterState[]; // [datacenter] with drains
  readonly pairDrains: readonly PairDrain[];
  readonly policy: Policy; // with pins
  readonly frozenBy: string | null; // nothing moves by choice, and why; null: it may
  readonly frozenEdges: Uint8Array | null; // [e] 1 where nothing moves by choice; null: nowhere
  readonly carried: CarriedIntents | null;
}

export interface IntendedInputs {
  readonly topology: Topology;
  readonly policy: Policy;
  readonly states: readonly DatacenterState[]; // [datacenter] observed, held down
  readonly intents: readonly Intent[];
  readonly served: FractionMatrix | null;
  readonly nowMs: number;
  readonly before: CarriedIntents | null;
}

export function intendedOf(inputs: IntendedInputs): Intended {
  const { topology, policy, states, intents, served, nowMs, before } = inputs;
  const windows = policy.spec.blocked ?? [];
  const situation: Situation = { topology, states, windows, hasTable: served !== null, nowMs, carried: before };
  const resolved = resolveIntents(intents, situation);
  const { inForce } = resolved;
  const places = placesIn(topology);
  const servedAt = (edge: string, datacenter: string): number => {
    const i = places.pair(edge, datacenter);
    return i === null ? 0 : (served?.[i] ?? 0);
  };
  const carried = carriedIntents(resolved, situation, servedAt);
  const drained = effectiveStates(topology, states, inForce, nowMs);
  const freezes = inForce.filter((intent) => intent.kind === 'freeze');
  const blocked = blockedAt(windows, nowMs, 'moves');
  const whole = freezes.find(
    (one) =>
      one.edge === undefined && one.datacenter === undefined && exempted(one, inForce, topology).edges.length === 0,
  );
  const pins = [
    ...pinsOf(inForce, carried, topology, drained),
    ...stillPins(freezes, inForce, places, served, drained),
  ];
  return {
    states: drained,
    pairDrains: pairDrainsOf(inForce, carried, places, nowMs),
    policy: pins.length === 0 ? policy : withPins(policy, pins),
    frozenBy: whole
      ? `frozen by ${whole.author}: ${whole.reason}`
      : blocked && `frozen by the policy ${blockedWords(blocked)}`,
    frozenEdges: whole || blocked ? null : frozenEdgesOf(freezes, inForce, topology),
    carried,
  };
}

interface Places {
  readonly topology: Topology;
  pair(edge: string, datacenter: string): number | null; // e * D + d
}

function placesIn(topology: Topology): Places {
  const edgeAt = new Map(topology.edges.map(({ id }, e) => [id as string, e]));
  const datacenterAt = new Map(topology.datacenters.map(({ id }, d) => [id as string, d]));
  return {
    topology,
    pair: (edge, datacenter) => {
      const [e, d] = [edgeAt.get(edge), datacenterAt.get(datacenter)];
      return e === undefined || d === undefined ? null : e * topology.datacenters.length + d;
    },
  };
}

type Pin = Policy['spec']['pins'][number];

/** Of overrides as they are stated; of shifts, counted from what was served when they began. */
function pinsOf(
  inForce: readonly Intent[],
  carried: CarriedIntents | null,
  { datacenters }: Topology,
  states: readonly DatacenterState[],
): Pin[] {
  const isOut = (id: string): boolean => (states[datacenters.findIndex((one) => one.id === id)]?.keep ?? 0) < 1;
  return inForce.flatMap((intent): Pin[] => {
    if (intent.kind === 'override' && !isOut(intent.datacenter)) {
      return [{ edge: intent.edge, datacenter: intent.datacenter, fraction: intent.fraction as Fraction }];
    }
    if (intent.kind !== 'shift') return [];
    const pairs = carried?.bases.find((base) => base.intent === intent.id)?.pairs ?? [];
    const basesAt = new Map(pairs.map(([edge, id, fraction]) => [`${edge} ${id}`, fraction]));
    return [...new Set(pairs.map(([edge]) => edge))].flatMap((edge): Pin[] => {
      const from = basesAt.get(`${edge} ${intent.from}`) ?? 0;
      const to = basesAt.get(`${edge} ${intent.to}`) ?? 0;
      // An edge with nothing to move keeps what it has: else it would fill what the others leave.
      const moved = Math.min(from, intent.fraction);
      return [
        { edge, datacenter: intent.from, fraction: (from - moved) as Fraction },
        { edge, datacenter: intent.to, fraction: Math.min(1, to + moved) as Fraction },
      ];
    });
  });
}

/** A datacenter that is frozen keeps of each edge what it serves. */
function stillPins(
  freezes: readonly IntentOf<'freeze'>[],
  inForce: readonly Intent[],
  { topology, pair }: Places,
  served: FractionMatrix | null,
  states: readonly DatacenterState[],
): Pin[] {
  if (!served) return [];
  return freezes.flatMap((freeze): Pin[] => {
    const { datacenter } = freeze;
    if (datacenter === undefined) return [];
    const d = topology.datacenters.findIndex(({ id }) => id === datacenter);
    if (d < 0 || states[d]!.keep < 1) return [];
    const free = exempted(freeze, inForce, topology).edges;
    const held = topology.edges.filter(({ id }) => (freeze.edge ?? id) === id && !free.includes(id));
    return held.map(({ id }) => ({ edge: id, datacenter, fraction: served[pair(id, datacenter)!]! as Fraction }));
  });
}

/** Intents come before what the policy says of the same pair, and before what else it says of the edge as far as there is
 *  no room for both. */
function withPins(policy: Policy, pins: readonly Pin[]): Policy {
  const all: Pin[] = [];
  const roomAt = new Map<string, number>();
  for (const pin of [...pins, ...policy.spec.pins]) {
    const room = roomAt.get(pin.edge) ?? 1;
    const isKnown = all.some(({ edge, datacenter }) => edge === pin.edge && datacenter === pin.datacenter);
    if (isKnown || pin.fraction > room + 1e-9) continue;
    all.push(pin);
    roomAt.set(pin.edge, room - pin.fraction);
  }
  return { ...policy, spec: { ...policy.spec, pins: all } };
}

function pairDrainsOf(
  inForce: readonly Intent[],
  carried: CarriedIntents | null,
  { topology, pair }: Places,
  nowMs: number,
): PairDrain[] {
  const width = topology.datacenters.length;
  return inForce.flatMap((intent): PairDrain[] => {
    if (intent.kind !== 'drain' || intent.edge === undefined) return [];
    const keep = keepAt(intent, nowMs);
    const i = pair(intent.edge, intent.datacenter);
    if (i === null || keep === 1) return [];
    const base = carried?.bases.find((one) => one.intent === intent.id)?.pairs[0]?.[2] ?? 0;
    const cause = `drain by ${intent.author}: ${intent.reason}`;
    return [{ edge: Math.floor(i / width), datacenter: i % width, retained: keep * base, keep, cause }];
  });
}

function frozenEdgesOf(
  freezes: readonly IntentOf<'freeze'>[],
  inForce: readonly Intent[],
  topology: Topology,
): Uint8Array | null {
  const frozen = new Uint8Array(topology.edges.length);
  for (const freeze of freezes) {
    if (freeze.datacenter !== undefined) continue;
    const free = exempted(freeze, inForce, topology).edges;
    topology.edges.forEach(({ id }, e) => {
      if ((freeze.edge ?? id) === id && !free.includes(id)) frozen[e] = 1;
    });
  }
  return frozen.includes(1) ? frozen : null;
}
