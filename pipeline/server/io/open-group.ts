/** A group's services as a start finds them: the last published tables, fed again at once, and the loop that goes on from
 *  there. */

import type { Logger } from 'pino';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { durationMs } from '../../../config/duration.ts';
import { ConfigError } from '../../../config/errors.ts';
import { readText } from '../../../config/io/files.ts';
import type { ServerSpec } from '../../../config/server.ts';
import type { Topology } from '../../../config/topology.ts';
import type { WorldUsers } from '../../../config/world.ts';
import { freshState, type PlanGroup } from '../../epoch.ts';
import { type Published, readPublished } from '../../publish/publisher.ts';
import type { Store } from '../../publish/store.ts';
import type { CheckpointRecord, InputsRecord } from '../../replay/journal-record.ts';
import { decodeTable, makeTargets, type RoutingTable, servedFractions } from '../../table/routing-table.ts';
import { ofTree, type Routing, type TreePlaces } from '../../table/tree-course.ts';
import { type Alerts, withAlert } from '../alert.ts';
import { EpochHistory } from '../epoch-history.ts';
import { type Step, startLoop } from '../epoch-loop.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import { HttpProblem } from '../problem.ts';
import { RealisedFractions } from '../realised.ts';
import { rememberIn } from '../remembering-telemetry.ts';
import type { ServiceTrees } from '../service-trees.ts';
import { compareShadow, type ShadowedService, type ShadowFigures, ShadowWatch } from '../shadow.ts';
import type { ServiceView, Status } from './control-plane-view.ts';
import type { DataDirectory } from './data-directory.ts';
import { openEngines } from './engines.ts';
import { Feed } from './feed.ts';
import { type Journal, recentRecords } from './journal.ts';
import { KeptAcks } from './kept-acks.ts';
import { KeptCounts } from './kept-counts.ts';
import { type Engines, LoopDriver } from './loop-driver.ts';
import type { RoutingObjects } from './objects.ts';
import { openTrees } from './open-trees.ts';
import { PlanShelf } from './plan-shelf.ts';
import type { SigningKey } from './secrets.ts';
import { type PublicationParts, ServicePublication } from './service-publication.ts';
import { ServicePublisher } from './service-publisher.ts';
import { ServiceRun, type SharedParts } from './service-run.ts';
import { ServiceVersions } from './service-versions.ts';
import type { StatedGroup, StatedService } from './stated-services.ts';
import { TreeMoves } from './tree-moves.ts';
import type { TreeShelf } from './tree-shelf.ts';

/** A service as the store and the journal have it. */
export interface FoundService extends StatedService {
  readonly published: Published;
  readonly table: RoutingTable | null; // in force
  readonly trees: ServiceTrees;
  readonly decidedAtMs: number | null; // wall clock of the last decision; null: there was none
  readonly history: EpochHistory;
  readonly lastInputs: InputsRecord | null; // the newest on record
  readonly feed: Feed;
  readonly imported: RoutingTable | null; // what the load balancers did before, where that is still of use
}

/** What services are looked for in. */
export interface FindingParts {
  readonly store: Store;
  readonly directory: DataDirectory;
  readonly shelf: TreeShelf;
  readonly objects: RoutingObjects;
  readonly places: TreePlaces;
  readonly historyEpochs: number;
  readonly isShadow: boolean;
  readonly log: Logger;
}

/** Rejects with a ConfigError where the published table is of other places or buckets, or of a tree that is gone. */
export async function findService(
  stated: StatedService,
  { store, directory, shelf, objects, places, historyEpochs, isShadow, log }: FindingParts,
): Promise<FoundService> {
  const { service, tree } = stated;
  const { topology } = places;
  const published = await readPublished(store, service);
  const { head } = published;
  const { ramp } = stated.policy.spec;
  if (ramp && stated.firstTableFile === null) {
    throw new ConfigError(
      `${stated.policyFile}: policy "${service}" has a ramp, and the config no firstTable that says where the rest goes; taiji import makes one`,
    );
  }
  const imported = published.head === null || isShadow || ramp ? firstTable(stated, topology) : null;
  const table = published.head === null ? imported : tableOf(published, tree, topology, directory.path);
  const { trees, notes } = await openTrees(stated, published, { shelf, objects }, places, Date.now());
  for (const note of notes) log.warn({ service }, note);
  const { outcomes, last } = await recentRecords(directory.within('journal'), service, historyEpochs);
  const recorded = outcomes.flatMap(({ summary }) => (summary === null ? [] : [summary as EpochSummary]));
  return {
    ...stated,
    published,
    table: ofTree(table, trees.routing.tree.version),
    imported,
    trees,
    decidedAtMs: head && head.generatedAtMs > 0 ? head.generatedAtMs : null,
    history: new EpochHistory(historyEpochs, recorded),
    lastInputs: last && samePlaces(last.topology, topology) ? last.inputs : null,
    feed: new Feed(),
  };
}

export interface GroupParts {
  readonly spec: ServerSpec;
  readonly shelf: TreeShelf;
  readonly objects: RoutingObjects;
  readonly users: WorldUsers;
  readonly store: Store;
  readonly term: number;
  readonly signingKey: SigningKey;
  readonly shared: SharedParts;
  readonly plan: PlanGroup;
  readonly planMsMax: number;
  readonly journal: Journal;
  readonly alerts: Alerts; // of the start
  readonly firstStartMs: number; // where no epoch was before
  readonly solverEntry: string | null;
  readonly isShadow: boolean;
}

export interface OpenGroup {
  readonly views: readonly ServiceView[];
  readonly runs: readonly ServiceRun[];
  /** Begins the epochs. */
  start(): LoopDriver;
  close(): Promise<void>;
}

export async function openGroup(
  { settings }: Pick<StatedGroup, 'settings'>,
  found: readonly FoundService[],
  parts: GroupParts,
): Promise<OpenGroup> {
  const { spec, objects, store, term, signingKey, shared } = parts;
  const { metrics, log, topology } = shared;
  let driver: LoopDriver | null = null;
  const { tree, weights } = found[0]!.trees.routing;
  const engines = await openEngines(spec.solver, tree, weights, {
    onSolved: (seconds) => {
      for (const { service } of found) metrics.solved(service, seconds);
    },
    onCompared: ({ relative, agree }) => {
      if (!agree) for (const { service } of found) metrics.disagreed(service);
      const message = agree ? null : `the two solvers' minima of one program differ by ${relative.toExponential(1)}`;
      driver?.dispatch({ kind: 'noticed', reason: 'solver-disagreement', message });
    },
    onEnded: (message) => log.warn({ message }, 'a solver was ended and replaced'),
    ...(parts.solverEntry && { entry: parts.solverEntry }),
  });
  // A crash between two services' publications leaves their heads an epoch apart: the group goes on from the later.
  const newest = found
    .flatMap(({ published }) => (published.head ? [published.head] : []))
    .reduce<Published['head']>((last, head) => (last && last.epoch >= head.epoch ? last : head), null);
  const opened: OpenedService[] = [];
  const running = (): LoopDriver => {
    if (!driver) throw new HttpProblem(503, 'the control plane has not begun yet', { 'Retry-After': '1' });
    return driver;
  };
  const between: PublicationParts['between'] = async (work) => running().between(work);
  for (const own of found) {
    const { service, published, table, history, feed, trees } = own;
    const { head } = published;
    const publisher = new ServicePublisher(
      { service, store, term, feed, signingKey, versionsKept: spec.versionsKept },
      published,
    );
    if (head) await publisher.resume(head);
    const halfLifeMs = durationMs(own.policy.spec.buckets.countsHalfLife);
    const counted = await KeptCounts.open(
      { service, topology, trees, halfLifeMs, store, term, objects, nowMs: shared.nowMs },
      head?.counted ?? null,
    );
    const { routing, counts } = counted.kept;
    const { canary } = own.policy.spec;
    const heard = await KeptAcks.open({ service, store, term, canaryForMs: canary ? durationMs(canary.for) : 0 }, head);
    const acks = heard.kept;
    const { source, damage } = await rememberIn(
      store,
      { service, term, topology, epochMs: settings.epochMs },
      own.source,
    );
    const start = startLoop(
      settings,
      {
        epoch: newest ? newest.epoch + 1 : 0,
        startMs: newest ? newest.startMs + settings.epochMs : parts.firstStartMs,
        table,
        carried: { ...freshState, ...head?.carried }, // an older version may have carried less
        freshUntilMs: head?.freshUntilMs ?? 0,
        alerts: damageOf(parts.alerts, published, [...counted.damage, ...heard.damage, ...damage]),
      },
      own.decidedAtMs,
      Date.now(),
    );
    const realised = new RealisedFractions(topology.edges.length);
    const imported = own.imported && servedFractions(own.imported, trees.routing.weights);
    const shadow = parts.isShadow ? new ShadowWatch(imported, () => compareRuns(opened, run)) : null;
    const base = own.policy.spec.ramp ? own.imported : null;
    const its = { ...own, base, routing, objects, source, publisher, acks, realised, history, shadow };
    const run: ServiceRun = new ServiceRun({ ...its, counts: counted.kept }, shared, start);
    // All or none: the load of one that nobody knows leaves no room to judge a table by.
    if (found.every(({ lastInputs }) => lastInputs)) run.inputs.resume(own.lastInputs!, start.state);
    const versions = new ServiceVersions(run, store);
    const publication = new ServicePublication(
      {
        run,
        versions,
        journal: parts.journal,
        acks: acks.acks,
        nowMs: shared.nowMs,
        standing: () => ({ services: running().standing(), s: running().runs.indexOf(run) }),
        propose: () => running().propose(run),
        between,
      },
      await PlanShelf.open(store, service, term),
    );
    const moves = new TreeMoves({ run, shelf: parts.shelf, objects, users: parts.users, nowMs: shared.nowMs, between });
    const released = { publication, versions, moves, acks, realised, counts };
    const view = viewOf(own, run, publisher, released, found, topology, engines);
    opened.push({ run, start, publication, view });
  }
  const afterEpoch = async (): Promise<void> => {
    for (const { run, publication } of opened) await publication.afterEpoch(run.takeAsked());
  };
  return {
    views: opened.map(({ view }) => view),
    runs: opened.map(({ run }) => run),
    start: () => {
      const { intents, nowMs } = shared;
      const { plan, planMsMax, journal } = parts;
      driver = new LoopDriver(
        { topology, engines, plan, planMsMax, intents, journal, afterEpoch, log, nowMs },
        opened.map(({ run, start }) => [run, start.commands]),
      );
      return driver;
    },
    close: () => engines.close(),
  };
}

interface OpenedService {
  readonly run: ServiceRun;
  readonly start: Step;
  readonly publication: ServicePublication;
  readonly view: ServiceView;
}

function viewOf(
  { service, policy, feed, history, pushed }: FoundService,
  run: ServiceRun,
  publisher: ServicePublisher,
  released: Pick<ServiceView, 'publication' | 'versions' | 'moves' | 'acks' | 'realised' | 'counts'>,
  group: readonly FoundService[],
  topology: Topology,
  engines: Engines,
): ServiceView {
  let served: { readonly table: RoutingTable; readonly routing: Routing; readonly fractions: Float64Array } | null =
    null;
  return {
    service,
    kind: policy.spec.traffic.kind,
    policy,
    solvedWith: group.map((one) => one.service),
    feed,
    history,
    pushed,
    ...released,
    watched: () => run.watched,
    present: () => {
      const { state, watched } = run;
      const { observed } = run.inputs;
      const utilization = watched?.plan.utilization ?? lastUtilization(history, topology);
      if (!observed || !utilization || !state.table) return null;
      const { churnSpent: _, ...inputs } = observed; // of that epoch alone
      const { table: previous, carried, epoch, startMs } = state;
      const context = { ...engines.context, ...run.contextOf(run.routing) };
      return {
        inputs: { ...inputs, epoch, startMs, previous, carried },
        context,
        utilization,
      };
    },
    status: (): Status => {
      const { state, routing } = run;
      const { observed } = run.inputs;
      if (state.table && (served?.table !== state.table || served.routing !== routing)) {
        served = { table: state.table, routing, fractions: servedFractions(state.table, routing.weights) };
      }
      const working = state.phase !== 'waiting' && state.phase !== 'stopped';
      return {
        epoch: state.epoch - 1,
        nextStartMs: state.startMs + (working ? state.settings.epochMs : 0),
        epochMs: state.settings.epochMs,
        version: publisher.version,
        treeVersion: routing.tree.version,
        freshUntilMs: state.freshUntilMs,
        fractions: served?.fractions ?? null,
        rttMs: observed?.topology.rttMs ?? topology.rttMs,
        demandRps: observed?.demandRps ?? null,
        states: observed?.states ?? null,
        waiting: state.carried.intents?.waiting ?? [],
        alerts: state.alerts,
      };
    },
  };
}

/** [datacenter] as the last epoch on record has told it. */
function lastUtilization({ latest }: EpochHistory, { datacenters }: Topology): Float64Array | null {
  const ratios = datacenters.map(({ id }) => latest?.utilization[id] ?? Number.NaN);
  return ratios.some(Number.isNaN) ? null : Float64Array.from(ratios);
}

/** The epoch that the group has just decided, for one of its services. One of which nothing was decided is as it was. */
function compareRuns(opened: readonly OpenedService[], run: ServiceRun): ShadowFigures {
  const planned = opened.map(({ run: of }) => ({ of, watching: of.watching }));
  const services = planned.flatMap(({ of, watching }): ShadowedService[] => {
    const { shadow } = of.parts;
    if (!watching || !shadow) return [];
    const { tree, weights } = of.inputs.proposed.routing;
    const { inputs, plan } = watching;
    return [{ inputs, plan, tree, weights, today: shadow.today(inputs.topology.rttMs.length) }];
  });
  const s = planned.filter(({ watching }) => watching).findIndex(({ of }) => of === run);
  return compareShadow(services, s);
}

function damageOf(alerts: Alerts, { damaged }: Published, more: readonly string[]): Alerts {
  const own = damaged.map(({ key, detail }) => `${key}: ${detail}`);
  const all = [...own, ...more, alerts.get('store-damaged') ?? []].flat();
  return all.length === 0 ? alerts : withAlert(alerts, 'store-damaged', all.join('; '));
}

/** What the load balancers do before the first epoch, where somebody says so: it is held to the guards from there on. */
function firstTable({ firstTableFile: file, tree }: StatedService, topology: Topology): RoutingTable | null {
  if (file === null) return null;
  let plan: unknown;
  try {
    plan = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${file}: not JSON; name a file that taiji import or taiji plan --out has written`);
  }
  const encoded: unknown = typeof plan === 'object' && plan !== null ? Reflect.get(plan, 'table') : null;
  const table = decodeTable(encoded ?? null, `${file}: table`);
  return fitting(table, tree, topology, file, 'import the weights of these');
}

/** The published table as this start may plan from it. Bucket ids outlive trees, so a new tree of the same height takes
 *  the old assignment over; other places or another height are another table, and guessing at one would move users. */
function tableOf(found: Published, tree: BucketTree, topology: Topology, dataDirectory: string): RoutingTable | null {
  if (!found.snapshot) return null;
  const table = decodeTable(found.snapshot.table, `${dataDirectory}: version ${found.snapshot.version}`);
  const anew = 'start with a new dataDirectory to publish a first table, which moves users without the change guards';
  return fitting(table, tree, topology, dataDirectory, `serve the old ones, or ${anew}`);
}

function samePlaces(recorded: CheckpointRecord['topology'], { edges, datacenters }: Topology): boolean {
  const same = (a: readonly { readonly id: string }[], b: readonly { readonly id: string }[]): boolean =>
    a.length === b.length && a.every(({ id }, i) => id === b[i]!.id);
  return same(recorded.edges, edges) && same(recorded.datacenters, datacenters);
}

/** Throws a ConfigError, with how to mend it, where the table is for other buckets or places. */
function fitting(table: RoutingTable, tree: BucketTree, topology: Topology, where: string, mend: string): RoutingTable {
  if (table.height !== tree.height) {
    throw new ConfigError(
      `${where}: its table has 2^${table.height} buckets and the tree 2^${tree.height}; serve a tree of height ${table.height}, or ${mend}`,
    );
  }
  const targets = makeTargets(topology);
  const sameEdges =
    table.edges.length === topology.edges.length && table.edges.every((id, e) => id === topology.edges[e]!.id);
  const sameTargets =
    table.targets.length === targets.length && table.targets.every((t, d) => t.datacenter === targets[d]!.datacenter);
  if (!sameEdges || !sameTargets) {
    const noun = sameEdges ? 'datacenters' : 'edges';
    throw new ConfigError(`${where}: its table is for other ${noun} than the world's; ${mend}`);
  }
  return { ...table, treeVersion: tree.version };
}
