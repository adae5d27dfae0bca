/** Telemetry of a live fleet: read, judged, and only then forecast and planned on. What is made up for an edge that fell
 *  silent is planned on and teaches the forecast nothing. */

import { durationMs } from '../../config/duration.ts';
import type { Policy } from '../../config/policy.ts';
import type { LiveTelemetrySpec } from '../../config/server.ts';
import type { Topology } from '../../config/topology.ts';
import { type EdgeForecast, Forecaster, type ForecastState } from '../../runtime/forecast.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import {
  type Judged,
  judgeTelemetry,
  nothingRemembered,
  type TelemetryLimits,
  type TelemetryMemory,
  type UsableTelemetry,
} from '../../runtime/judge-telemetry.ts';
import { listFindings, type Telemetry } from '../../runtime/telemetry.ts';
import type { PushedTelemetry } from './pushed-telemetry.ts';
import type { KeptTelemetry } from './telemetry-memory.ts';
import type { Notices, Observed, Seen, TelemetrySource } from './telemetry-source.ts';

export interface LiveParts {
  readonly topology: Topology;
  readonly limits: TelemetryLimits;
  readonly epochMs: number;
  readonly forecast: Policy['spec']['forecast'];
  /** What the fleet says now; what went wrong on the way is in the notes. One that rejects holds the epoch. */
  readonly read: (nowMs: number) => Telemetry | Promise<Telemetry>;
  readonly pushed?: PushedTelemetry; // where reports are brought, what is read is them
}

export class LiveTelemetry implements TelemetrySource {
  readonly #parts: LiveParts;
  #forecaster: Forecaster;
  #memory: TelemetryMemory;

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.#memory = nothingRemembered(parts.topology);
    this.#forecaster = forecasterOf(parts, null);
  }

  /** All that the next judgement depends on. */
  get remembered(): KeptTelemetry {
    return { memory: this.#memory, reported: this.#parts.pushed?.read() ?? null };
  }

  /** Before the first epoch: goes on from what another process remembered. */
  resume({ memory, reported }: KeptTelemetry): void {
    this.#memory = memory;
    if (reported) this.#parts.pushed?.resume(reported);
  }

  /** What the forecast has learnt; null where the policy wants the last value. */
  get forecast(): ForecastState | null {
    return this.#parts.forecast === 'last' ? null : this.#forecaster.state;
  }

  /** Before the first epoch: goes on from what another process learnt, null for an edge that it did not know. */
  resumeForecast(from: { readonly edges: readonly (EdgeForecast | null)[] }): void {
    this.#forecaster = forecasterOf(this.#parts, from);
  }

  async observe(
    startMs: number,
    nowMs: number,
    served: () => FractionMatrix | null,
    placed: () => ArrayLike<number> | null = () => null,
  ): Promise<Observed> {
    const { topology, limits, read } = this.#parts;
    let said: Telemetry;
    try {
      said = await read(nowMs);
    } catch (error) {
      return {
        kind: 'nothing',
        message: `the source failed: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
    const judged = judgeTelemetry(said, this.#memory, {
      topology,
      limits,
      nowMs,
      served: served(),
      sessions: placed(),
    });
    this.#memory = judged.memory;
    const notices = noticesOf(judged, said.notes);
    const { decision } = judged;
    const seen: Seen = { allocation: judged.allocation, distance: judged.realisedDistance };
    if (decision.kind === 'held') return { kind: 'nothing', message: decision.reason, seen, notices };
    const { states, rttMs, sessions } = decision;
    const demandRps = this.#planned(decision, startMs);
    return { kind: 'observed', demandRps, states, rttMs, sessions, seen, notices };
  }

  #planned({ demandRps, filled }: UsableTelemetry, startMs: number): Float64Array {
    const seenMs = startMs - this.#parts.epochMs;
    // A process that was killed between learning and planning comes by the same epoch again.
    if (seenMs > this.#forecaster.observedMs) {
      this.#forecaster.observe(
        seenMs,
        demandRps.map((rps, e) => (filled[e] ? Number.NaN : rps)),
      );
    }
    const forecast = this.#forecaster.next(startMs);
    return demandRps.map((rps, e) => (filled[e] ? rps : forecast[e]!));
  }
}

function forecasterOf(
  { topology, epochMs, forecast }: LiveParts,
  from: { readonly edges: readonly (EdgeForecast | null)[] } | null,
): Forecaster {
  return new Forecaster({ edges: topology.edges.length, epochMs, kind: forecast }, from);
}

export function limitsOf({ limits }: LiveTelemetrySpec): TelemetryLimits {
  return {
    ageMsMax: durationMs(limits.staleAfter),
    fillMsMax: durationMs(limits.fillFor),
    filledShareMax: limits.filledShareMax,
    jumpFactorMax: limits.jumpFactor,
    rttJumpFactorMax: limits.rttJumpFactor,
    allocationGapMax: limits.allocationGapMax,
  };
}

/** A held epoch has an alert of its own, which says all of this. */
function noticesOf({ decision, findings, note, contradicting, unhealthy }: Judged, notes: readonly string[]): Notices {
  const partial = [
    ...notes,
    ...(note === null ? [] : [note]),
    ...(findings.length > 0 ? [listFindings(findings)] : []),
  ].join('; ');
  return new Map([
    ['telemetry-partial', decision.kind === 'held' || partial === '' ? null : partial],
    ['service-unhealthy', unhealthy.length > 0 ? `unhealthy by their service metrics: ${unhealthy.join(', ')}` : null],
    ['allocation-contradicting', contradicting.length > 0 ? listFindings(contradicting) : null],
  ]);
}
