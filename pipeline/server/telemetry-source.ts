/** The door through which telemetry comes: whatever says what an epoch may be planned on. */

import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import type { AlertReason } from './alert.ts';

export interface TelemetrySource {
  /** Asked once an epoch, in order of time: `startMs` is the world's, `nowMs` the wall clock's. `served` gives the
   *  fractions of the table in force, null before the first one; `placed` the sessions of a sticky service as the tables so
   *  far have placed them, [e * D + d]. Never rejects for what can go wrong on the way. */
  observe(
    startMs: number,
    nowMs: number,
    served: () => FractionMatrix | null,
    placed?: () => ArrayLike<number> | null,
  ): Observed | Promise<Observed>;
}

export type Observed =
  | {
      readonly kind: 'observed';
      readonly demandRps: Float64Array; // [edge] to plan on
      readonly states: readonly DatacenterState[]; // [datacenter]
      readonly rttMs?: Float64Array | null; // [e * D + d] observed; none: the topology's
      readonly sessions?: Float64Array | null; // [e * D + d] observed of a sticky service, NaN: not usable; none: all by the model
      readonly seen?: Seen;
      readonly notices?: Notices;
    }
  | { readonly kind: 'nothing'; readonly message: string; readonly seen?: Seen; readonly notices?: Notices };

/** Where edges were seen to send their demand. Null: nobody watched. */
export interface Seen {
  readonly allocation: Float64Array | null; // [e * D + d] shares; NaN: nothing usable of that edge
  readonly distance: Float64Array | null; // [edge] half L1 to the nearer of the last two tables; NaN: unknown
}

/** Alerts that start, go on, or (null) are over. */
export type Notices = ReadonlyMap<AlertReason, string | null>;
