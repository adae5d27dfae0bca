/** The door through which telemetry comes: whatever says what an epoch may be planned on. */

import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { AlertReason } from './alert.ts';

export interface TelemetrySource {
  /** Asked once an epoch, in order of time: `startMs` is the world's, `nowMs` the wall clock's. `served` gives the
   *  fractions of the table in force, null before the first one. Never rejects for what can go wrong on the way. */
  observe(startMs: number, nowMs: number, served: () => FractionMatrix | null): Observed | Promise<Observed>;
}

export type Observed =
  | {
      readonly kind: 'observed';
      readonly demandRps: Float64Array; // [edge] to plan on
      readonly states: readonly DatacenterState[]; // [datacenter]
      readonly rttMs?: Float64Array | null; // [e * D + d] observed; none: the topology's
      readonly notices?: Notices;
    }
  | { readonly kind: 'nothing'; readonly message: string; readonly notices?: Notices };

/** Alerts that start, go on, or (null) are over. */
export type Notices = ReadonlyMap<AlertReason, string | null>;
