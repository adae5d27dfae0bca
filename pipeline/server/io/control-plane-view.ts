/** What the routes may see of the running control plane. */

import type { ServiceId } from '../../../config/ids.ts';
import type { Policy } from '../../../config/policy.ts';
import type { Topology } from '../../../config/topology.ts';
import type { FractionMatrix } from '../../../runtime/fractions.ts';
import type { DatacenterState } from '../../../runtime/inputs.ts';
import type { Waiting } from '../../../runtime/intents.ts';
import type { PlanGroup } from '../../epoch.ts';
import type { WatchedEpoch } from '../../replay/explanation.ts';
import type { Alerts } from '../alert.ts';
import type { BucketCounts } from '../bucket-counts.ts';
import type { EpochHistory } from '../epoch-history.ts';
import type { IntentBook } from '../intent-book.ts';
import type { PresentService } from '../pre-check.ts';
import type { PushedTelemetry } from '../pushed-telemetry.ts';
import type { RealisedFractions } from '../realised.ts';
import type { EventStream } from './event-stream.ts';
import type { Feed } from './feed.ts';
import type { KeptAcks } from './kept-acks.ts';
import type { Metrics } from './metrics.ts';
import type { SigningKey } from './secrets.ts';
import type { ServicePublication } from './service-publication.ts';
import type { ServiceVersions } from './service-versions.ts';
import type { TreeMoves } from './tree-moves.ts';
import type { TreeShelf } from './tree-shelf.ts';

export interface ControlPlaneView {
  readonly services: ReadonlyMap<string, ServiceView>; // by name, in the order of names
  readonly topology: Topology;
  readonly intents: IntentBook;
  readonly shelf: TreeShelf;
  readonly plan: PlanGroup;
  readonly events: EventStream;
  readonly metrics: Metrics;
  readonly signingKey: SigningKey;
  readonly isShadow: boolean; // tables are for nobody
  readiness(): { readonly ready: boolean; readonly detail: string };
  stopping: AbortSignal;
  nowMs(): number; // wall clock
}

export interface ServiceView {
  readonly service: ServiceId;
  readonly kind: 'stateless' | 'sticky';
  readonly policy: Policy;
  readonly solvedWith: readonly ServiceId[]; // its group, itself too, in the order of names
  readonly feed: Feed;
  readonly history: EpochHistory;
  readonly pushed: PushedTelemetry | null; // null: telemetry comes from elsewhere
  /** As it is now. */
  status(): Status;
  /** The last epoch that was decided since the start, as it was planned; null: none yet. */
  watched(): WatchedEpoch | null;
  readonly publication: ServicePublication;
  readonly versions: ServiceVersions;
  readonly moves: TreeMoves; // from tree to tree
  readonly acks: KeptAcks;
  readonly realised: RealisedFractions;
  readonly counts: BucketCounts;
  /** What it would plan next, as far as it is known, for questions; null: no epoch was decided since the start. */
  present(): PresentService | null;
}

export interface Status {
  readonly epoch: number; // the last one that ended; -1: none yet
  readonly nextStartMs: number; // world time of the next epoch
  readonly epochMs: number; // from one epoch to the next, world time
  readonly version: number; // of the table in force; 0: none
  readonly treeVersion: string;
  readonly freshUntilMs: number; // wall clock; 0: no table yet
  readonly fractions: FractionMatrix | null; // served by the table in force
  readonly rttMs: Float64Array; // [e * D + d] planned with
  readonly demandRps: Float64Array | null; // [edge] last planned on
  readonly states: readonly DatacenterState[] | null; // [datacenter] last observed
  readonly waiting: readonly Waiting[]; // intents that others, or a window, keep from being in force
  readonly alerts: Alerts;
}
