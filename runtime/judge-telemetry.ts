/** What an epoch may plan on, of all that a source says. Values that are stale, missing, impossible, jumping or at odds
 *  with the last tables are named. What follows:
 *
 *  - Missing is never zero. A few edges without a usable value get their last good one, and that is said; where too much
 *    of the demand would be made up that way, or everything fails at once, the epoch is held.
 *  - A jump is believed once a later reading confirms it: a flash crowd waits an epoch, a blind monitor never counts.
 *  - A datacenter of which nothing usable is said keeps the state it had: silence neither kills nor revives.
 *  - A datacenter whose service metrics are bad, or which fell silent, keeps its users and gains none by choice: a bad
 *    release is not mended by taking users somewhere else, nor by bringing more.
 *  - Observed allocation alerts and moves nothing: edges that do not follow the table do not follow the next one either.
 *
 *  Declined: filling gaps with a mean of the neighbours or a forecast. What is planned on could then never be told from
 *  what was seen. */

import type { DatacenterId } from '../config/ids.ts';
import type { Topology } from '../config/topology.ts';
import type { FractionMatrix } from './fractions.ts';
import { type DatacenterState, normalState } from './inputs.ts';
import { judgeAllocation } from './judge-allocation.ts';
import { judgeRtt, type RttLimits, type RttMemory } from './judge-rtt.ts';
import { judgeSessions, type SessionsMemory } from './judge-sessions.ts';
import { impossible, type JudgedValue, judgeValue, type Remembered, unheard } from './judge-value.ts';
import { timeTrouble } from './reading-trouble.ts';
import { type Finding, listFindings, type Readings, type Telemetry, type Trouble } from './telemetry.ts';

export interface TelemetryLimits extends RttLimits {
  readonly fillMsMax: number; // age up to which a last good value may stand in
  readonly filledShareMax: number; // share of demand, and of datacenters, that may be filled
  readonly jumpFactorMax: number; // between two epochs
  readonly allocationGapMax: number; // share of an edge's demand observed elsewhere than the last tables say
}

/** What is remembered from one epoch to the next. */
export interface TelemetryMemory {
  readonly demandRps: readonly Remembered[]; // [edge]
  readonly up: readonly Remembered[]; // [datacenter]
  readonly served: FractionMatrix | null; // by the table before the last
  readonly rtt: RttMemory;
  readonly sessions: SessionsMemory;
}

export interface Judged {
  readonly decision: UsableTelemetry | { readonly kind: 'held'; readonly reason: string };
  readonly findings: readonly Finding[]; // of demand, states, health, round trips and sessions
  readonly note: string | null; // what is suspect as a whole
  readonly contradicting: readonly Finding[]; // of allocation and sessions
  readonly allocation: Float64Array | null; // [e * D + d] as observed; NaN: nothing usable of that edge; null: of none
  readonly realisedDistance: Float64Array | null; // [edge] from there to the last tables; NaN: unknown; null: of none
  readonly unhealthy: readonly DatacenterId[];
  readonly memory: TelemetryMemory;
}

export interface UsableTelemetry {
  readonly kind: 'usable';
  readonly demandRps: Float64Array; // [edge]
  readonly filled: readonly boolean[]; // [edge] with the last good value
  readonly states: readonly DatacenterState[]; // [datacenter]
  readonly rttMs: Float64Array | null; // [e * D + d] null: the topology's
  readonly sessions: Float64Array | null; // [e * D + d] established, NaN: as the tables would have placed them; null: all of them
}

export interface JudgingContext {
  readonly topology: Topology;
  readonly limits: TelemetryLimits;
  readonly nowMs: number; // wall clock
  readonly served: FractionMatrix | null; // by the table in force
  readonly sessions?: ArrayLike<number> | null; // [e * D + d] as the tables so far would have placed them
}

export function nothingRemembered({ edges, datacenters }: Topology): TelemetryMemory {
  return {
    demandRps: edges.map(() => unheard),
    up: datacenters.map(() => unheard),
    served: null,
    rtt: new Map(),
    sessions: new Map(),
  };
}

export function judgeTelemetry(said: Telemetry, memory: TelemetryMemory, context: JudgingContext): Judged {
  const { edges, datacenters } = context.topology;
  const knownRps = memory.demandRps.reduce((sum, { good }) => sum + (good?.value ?? 0), 0);
  // Beside the usual demand of an edge, changes of a few requests are no jumps, whatever their factor.
  const floorRps = (0.01 * knownRps) / edges.length;
  const demand = edges.map(({ id }, e) =>
    judgeValue(said.demandRps[e] ?? null, memory.demandRps[e]!, context, (rps) => impossible(rps, 'rps'), floorRps, {
      signal: 'demandRps',
      place: { kind: 'edge', id },
    }),
  );
  const up = datacenters.map(({ id }, d) =>
    judgeValue(said.up[d] ?? null, memory.up[d]!, context, flagTrouble, null, {
      signal: 'up',
      place: { kind: 'datacenter', id },
    }),
  );
  const health = judgeHealth(said.healthy, context);
  const rtt = judgeRtt(said.rttMs, memory.rtt, context.topology, context.limits, context.nowMs);
  const sessions = judgeSessions(said.sessions, memory.sessions, { ...context, expected: context.sessions ?? null });
  const allocation = judgeAllocation(said.allocation, memory.served, context);
  const findings = [...demand, ...up].flatMap(({ finding }) => finding ?? []);
  const decision = decide(demand, up, findings, said.notes, context);
  return {
    decision:
      decision.kind === 'held'
        ? decision
        : {
            ...decision,
            states: barred(decision.states, up, health, context),
            rttMs: rtt.rttMs,
            sessions: sessions.sessions,
          },
    findings: [...findings, ...health.findings, ...rtt.findings, ...sessions.findings],
    note: rtt.note,
    contradicting: [...allocation.contradicting, ...sessions.contradicting],
    allocation: allocation.observed,
    realisedDistance: allocation.distance,
    unhealthy: health.unhealthy,
    memory: {
      demandRps: demand.map(({ remembered }) => remembered),
      up: up.map(({ remembered }) => remembered),
      served: context.served,
      rtt: rtt.memory,
      sessions: sessions.memory,
    },
  };
}

function flagTrouble(value: number): Trouble | null {
  return value === 0 || value === 1 ? null : { kind: 'impossible', value, expected: '0 or 1' };
}

type Decided = Omit<UsableTelemetry, 'rttMs' | 'sessions'> | Extract<Judged['decision'], { kind: 'held' }>;

function decide(
  demand: readonly JudgedValue[],
  up: readonly JudgedValue[],
  findings: readonly Finding[],
  notes: readonly string[],
  { topology, limits }: JudgingContext,
): Decided {
  const why = [...notes, ...(findings.length > 0 ? [listFindings(findings)] : [])].join('; ');
  const held = (reason: string): Decided => ({ kind: 'held', reason: `${reason}: ${why}` });
  const { edges, datacenters } = topology;
  if (demand.every(({ filled }) => filled)) return held('no edge has a usable demand');
  if (up.every(({ filled }) => filled)) return held('no datacenter has a usable state');
  const unknown = [
    ...edges.filter((_, e) => demand[e]!.value === null),
    ...datacenters.filter((_, d) => up[d]!.value === null),
  ];
  if (unknown.length > 0) {
    const list = unknown
      .slice(0, 3)
      .map(({ id }) => `"${id}"`)
      .join(', ');
    const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : '';
    return held(`nothing usable is known of ${list}${more}, and no good value is young enough to stand in`);
  }
  const demandRps = Float64Array.from(demand, ({ value }) => value!);
  const filled = demand.map((one) => one.filled);
  const share = filledShare(demandRps, filled);
  if (share > limits.filledShareMax) {
    return held(
      `${percent(share)} of the demand has no usable value, at most ${percent(limits.filledShareMax)} is filled`,
    );
  }
  // One silent datacenter is let pass in the smallest fleet too.
  const silent = up.filter((one) => one.filled).length;
  if (silent > Math.max(1, Math.floor(limits.filledShareMax * datacenters.length))) {
    return held(`${silent} of ${datacenters.length} datacenters have no usable state`);
  }
  return {
    kind: 'usable',
    demandRps,
    filled,
    states: up.map(({ value }) => (value === 1 ? normalState : abnormalState)),
  };
}

/** Who gains nothing by choice: the sick, and those of whom nobody speaks. Where there is no table yet, nobody: users have
 *  to be somewhere. */
function barred(
  states: readonly DatacenterState[],
  up: readonly JudgedValue[],
  health: Health,
  { topology, served }: JudgingContext,
): readonly DatacenterState[] {
  // Silence about all of them is the monitor's.
  const isBlind = health.watched > 1 && health.findings.length === health.watched;
  return states.map((state, d) => {
    const { id } = topology.datacenters[d]!;
    if (state.keep < 1)
      return up[d]!.filled ? { ...state, cause: 'telemetry-missing, abnormal when last heard of' } : state;
    if (served === null) return state;
    if (health.unhealthy.includes(id)) return { ...state, refill: false, cause: 'unhealthy by its service metrics' };
    const isSilent = up[d]!.filled || (!isBlind && health.findings.some(({ place }) => place.id === id));
    return isSilent ? { ...state, refill: false, cause: 'telemetry-missing' } : state;
  });
}

const abnormalState: DatacenterState = { keep: 0, refill: false, cause: 'abnormal', untilMs: null };

/** Of the demand; of the edges, where there is none. */
function filledShare(demandRps: Float64Array, filled: readonly boolean[]): number {
  const totalRps = demandRps.reduce((a, b) => a + b, 0);
  if (totalRps === 0) return filled.filter(Boolean).length / filled.length;
  return demandRps.reduce((sum, rps, e) => sum + (filled[e] ? rps : 0), 0) / totalRps;
}

interface Health {
  readonly unhealthy: readonly DatacenterId[];
  readonly findings: readonly Finding[];
  readonly watched: number;
}

/** A datacenter that nobody watches is neither healthy nor not; one that was watched and fell silent is a finding. */
function judgeHealth(healthy: Readings, { topology, limits, nowMs }: JudgingContext): Health {
  const unhealthy: DatacenterId[] = [];
  const findings: Finding[] = [];
  topology.datacenters.forEach(({ id }, d) => {
    const reading = healthy[d] ?? null;
    if (reading === null) return;
    const trouble = flagTrouble(reading.value) ?? timeTrouble(reading, limits.ageMsMax, nowMs);
    if (trouble) findings.push({ signal: 'healthy', place: { kind: 'datacenter', id }, trouble });
    else if (reading.value === 0) unhealthy.push(id);
  });
  return { unhealthy, findings, watched: healthy.filter((reading) => reading !== null).length };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
