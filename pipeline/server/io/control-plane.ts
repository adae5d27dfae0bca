/** The control plane, put together: reads what people state, takes the data directory, finds the last published table
 *  and serves it, then runs epochs until told to stop. */

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { readTree } from '../../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { durationMs } from '../../../config/duration.ts';
import { ConfigError } from '../../../config/errors.ts';
import { serviceId } from '../../../config/ids.ts';
import { readPolicy } from '../../../config/load.ts';
import type { Policy } from '../../../config/policy.ts';
import { checkPolicyFor } from '../../../config/policy-topology.ts';
import type { ServerSpec } from '../../../config/server.ts';
import type { Topology } from '../../../config/topology.ts';
import { checkSupported } from '../../../runtime/supported.ts';
import { freshState, type PlanEpoch, planEpoch } from '../../epoch.ts';
import { openEmbeddedStore } from '../../publish/io/embedded-store.ts';
import { inTime } from '../../publish/io/in-time.ts';
import { withDeadline } from '../../publish/io/store-deadline.ts';
import { type Published, readPublished, readVersion } from '../../publish/publisher.ts';
import { encodeWeights } from '../../replay/recorded-weights.ts';
import { bucketWeights } from '../../table/bucket-weights.ts';
import { decodeTable, makeTargets, type RoutingTable, servedFractions } from '../../table/routing-table.ts';
import { type AlertReason, type Alerts, withAlert } from '../alert.ts';
import { EpochHistory } from '../epoch-history.ts';
import { type LoopSettings, startLoop } from '../epoch-loop.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import { IntentBook } from '../intent-book.ts';
import { checkTreeFits } from '../tree-fits.ts';
import { makeApp } from './app.ts';
import type { ControlPlaneView, Status } from './control-plane-view.ts';
import { type DataDirectory, type LockLoss, openDataDirectory } from './data-directory.ts';
import { openEngines } from './engines.ts';
import { EventStream } from './event-stream.ts';
import { Feed } from './feed.ts';
import { checkpointsOf, Journal, recentOutcomes } from './journal.ts';
import { LoopDriver } from './loop-driver.ts';
import { Metrics } from './metrics.ts';
import { keepObject, packWeights, pruneObjects, treeObject, weightsObject } from './objects.ts';
import { openSigningKey, openToken } from './secrets.ts';
import { ServicePublisher } from './service-publisher.ts';
import { openTelemetry, type Telemetered } from './telemetry.ts';

export interface ControlPlaneOptions {
  readonly log: Logger;
  /** Paths of the config are taken from here. */
  readonly baseDirectory: string;
  /** Called after each epoch, once everybody was told. */
  readonly onEpoch?: (epoch: EpochSummary) => void;
  /** For tests of what happens when planning, an engine or a disk fails. */
  readonly plan?: PlanEpoch;
  readonly solverEntry?: string; // what the engines' workers run
  readonly openJournalFile?: ConstructorParameters<typeof Journal>[3];
}

export interface ControlPlane {
  readonly url: string;
  readonly tokenFile: string;
  /** Resolves once everything is closed: null, or why it ended by itself. */
  readonly done: Promise<string | null>;
  /** Finishes the epoch in work, answers who waits, closes. */
  stop(): Promise<void>;
}

const storeDeadlineMs = 3000;
const journalDeadlineMs = 2000;
const planMsMax = 120_000;
const freshForMsMin = 5000; // an accelerated epoch is over before an edge has asked
const stopMsMax = 10_000;
const closeMsMax = 5000;

/** Resolves once the server listens. Rejects with a ConfigError for what people can mend. */
export async function startControlPlane(spec: ServerSpec, options: ControlPlaneOptions): Promise<ControlPlane> {
  const opened: (() => Promise<unknown>)[] = []; // what to close, last first
  try {
    return await assemble(spec, options, opened);
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

async function assemble(
  spec: ServerSpec,
  options: ControlPlaneOptions,
  opened: (() => Promise<unknown>)[],
): Promise<ControlPlane> {
  const { log } = options;
  const at = (path: string): string => resolve(options.baseDirectory, path);
  const { telemetry, policy, tree } = readStated(spec, at, log);
  const { topology, users } = telemetry.world;
  const service = serviceId(policy.metadata.service, at(spec.policy));
  const weights = bucketWeights(topology, tree, users);

  let onLost: (loss: LockLoss) => void = () => {};
  const directory = await openDataDirectory(at(spec.dataDirectory), (loss) => onLost(loss));
  opened.push(() => directory.release());
  const token = await openToken(spec.tokenFile === null ? directory.within('token') : at(spec.tokenFile));
  const signingKey = await openSigningKey(directory.within('keys', 'signing-key.pem'));
  const store = withDeadline(await openEmbeddedStore(directory.within('store')), storeDeadlineMs);
  const lease = await store.lease();
  opened.push(() => lease.release());

  let alerts: Alerts = new Map();
  const found = await readPublished(store, service);
  const { book, damage } = await IntentBook.open(store, lease.term);
  const damages = [...found.damaged.map(({ key, detail }) => `${key}: ${detail}`), ...(damage ? [damage] : [])];
  if (damages.length > 0) alerts = withAlert(alerts, 'store-damaged', damages.join('; '));
  const table = tableOf(found, tree, topology, at(spec.dataDirectory));

  const feed = new Feed();
  const journalDirectory = directory.within('journal');
  const journal = new Journal(
    journalDirectory,
    lease.term,
    { ...spec.journal, deadlineMs: journalDeadlineMs, onPruned: () => forgetObjects(directory) },
    options.openJournalFile,
  );
  opened.push(() => journal.close());
  const history = new EpochHistory(spec.historyEpochs, await recordedSummaries(journalDirectory, spec.historyEpochs));
  const events = new EventStream(history);
  opened.push(async () => events.close());
  let driver: LoopDriver | null = null;
  const lastDecidedMs = found.head && found.head.generatedAtMs > 0 ? found.head.generatedAtMs : null;
  const metrics = new Metrics({
    service,
    nowMs: Date.now,
    decidedAtMs: () => driver?.decidedAtMs ?? lastDecidedMs,
    journalBytes: () => journal.bytes,
    waiting: () => feed.waiting,
  });
  metrics.term(lease.term);
  opened.push(async () => metrics.registry.clear());
  const engines = await openEngines(spec.solver, tree, weights, {
    onSolved: (seconds) => metrics.solved(seconds),
    onCompared: ({ relative, agree }) => {
      if (!agree) metrics.disagreed();
      const message = agree ? null : `the two solvers' minima of one program differ by ${relative.toExponential(1)}`;
      driver?.dispatch({ kind: 'noticed', reason: 'solver-disagreement', message });
    },
    onEnded: (message) => log.warn({ message }, 'a solver was ended and replaced'),
    ...(options.solverEntry && { entry: options.solverEntry }),
  });
  opened.push(() => engines.close());
  const publisher = new ServicePublisher(
    { service, store, term: lease.term, feed, signingKey, versionsKept: spec.versionsKept },
    found,
  );
  if (found.head) await publisher.resume(found.head);

  const settings = settingsOf(spec, policy);
  const loopStart = startLoop(
    settings,
    {
      epoch: found.head ? found.head.epoch + 1 : 0,
      startMs: found.head ? found.head.startMs + settings.epochMs : telemetry.firstStartMs,
      table,
      carried: { ...freshState, ...found.head?.carried }, // an older version may have carried less
      freshUntilMs: found.head?.freshUntilMs ?? 0,
      alerts,
    },
    lastDecidedMs,
    Date.now(),
  );
  const stopping = new AbortController();
  const packedWeights = encodeWeights(weights);
  let served: { readonly table: RoutingTable; readonly fractions: Float64Array } | null = null;
  const view: ControlPlaneView = {
    service,
    topology,
    feed,
    history,
    intents: book,
    pushed: telemetry.pushed,
    nowMs: Date.now,
    events,
    metrics,
    signingKey,
    stopping: stopping.signal,
    version: async (version) =>
      publisher.inForce?.version === version ? publisher.inForce : readVersion(store, service, version),
    watched: () => driver?.watched ?? null,
    readiness: () => readinessOf(feed, driver?.state.freshUntilMs ?? 0, stopping.signal.aborted),
    status: (): Status => {
      const state = driver?.state ?? loopStart.state;
      if (state.table && served?.table !== state.table) {
        served = { table: state.table, fractions: servedFractions(state.table, weights) };
      }
      const working = state.phase !== 'waiting' && state.phase !== 'stopped';
      return {
        epoch: state.epoch - 1,
        nextStartMs: state.startMs + (working ? settings.epochMs : 0),
        version: publisher.version,
        treeVersion: tree.version,
        freshUntilMs: state.freshUntilMs,
        fractions: served?.fractions ?? null,
        rttMs: driver?.observed?.topology.rttMs ?? topology.rttMs,
        demandRps: driver?.observed?.demandRps ?? null,
        states: driver?.observed?.states ?? null,
        alerts: state.alerts,
      };
    },
  };
  const app = makeApp(view, {
    hosts: [spec.listen.host, ...spec.allowedHosts],
    token,
    consoleDirectory: consoleDirectory(),
    log,
  });
  const server = await listen(createServer(app), spec.listen);
  opened.push(() => closeServer(server));
  const { address, family, port } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  log.info(
    { url, service, term: lease.term, version: publisher.version, epoch: loopStart.state.epoch, tokenFile: token.path },
    'serving',
  );

  driver = new LoopDriver(
    {
      service,
      topology,
      policy,
      engines,
      plan: options.plan ?? planEpoch,
      planMsMax,
      telemetry: telemetry.source,
      intents: book,
      journal,
      keepObjects: async () => {
        await keepTreeAndWeights(directory, tree, at(spec.tree), packedWeights);
        return packedWeights.sha256;
      },
      publisher,
      history,
      events,
      metrics,
      log,
      nowMs: Date.now,
      onEpoch: options.onEpoch ?? (() => {}),
    },
    loopStart,
  );
  const running = driver;
  onLost = ({ kind, detail }) => {
    if (kind === 'taken')
      running.dispatch({ kind: 'deposed', message: `the data directory's lock was lost: ${detail}` });
    else running.dispatch({ kind: 'noticed', reason: 'lock-failing' satisfies AlertReason, message: detail });
  };
  const done = running.done.then(async (error) => {
    stopping.abort(); // whoever waits for a change is answered now
    events.close();
    await closeAll(opened);
    return error;
  });
  return {
    url,
    tokenFile: token.path,
    done,
    stop: async () => {
      running.dispatch({ kind: 'stop' });
      const timer = setTimeout(() => running.abandon(), stopMsMax);
      await done;
      clearTimeout(timer);
    },
  };
}

interface Stated {
  readonly telemetry: Telemetered;
  readonly policy: Policy;
  readonly tree: BucketTree;
}

function readStated(spec: ServerSpec, at: (path: string) => string, log: Logger): Stated {
  const policy = readPolicy(at(spec.policy));
  checkSupported(policy);
  if (policy.spec.assert.length > 0) {
    log.info({ assert: policy.spec.assert }, 'what the policy asserts is for dry runs and is not checked here');
  }
  const telemetry = openTelemetry(spec, policy, at, Date.now());
  const tree = readTree(at(spec.tree));
  const stranger = checkTreeFits(tree, telemetry.world.users, at(spec.tree), telemetry.dir);
  const warnings = [
    ...checkPolicyFor(policy, telemetry.world.topology, at(spec.policy)),
    ...(stranger ? [stranger] : []),
  ];
  for (const warning of warnings) log.warn(warning);
  return { telemetry, policy, tree };
}

function settingsOf({ telemetry, clock, freshEpochs }: ServerSpec, policy: Policy): LoopSettings {
  const statedMs = durationMs(policy.spec.epoch);
  const epochWallMs = clock.epochWall === null ? statedMs / clock.acceleration : durationMs(clock.epochWall);
  const isLive = telemetry.kind !== 'world';
  const freshForMs = Math.max(freshForMsMin, freshEpochs * epochWallMs);
  return { epochMs: isLive ? epochWallMs : statedMs, epochWallMs, freshForMs, isLive };
}

/** The published table as this start may plan from it. Bucket ids outlive trees, so a new tree of the same height takes
 *  the old assignment over; other places or another height are another table, and guessing at one would move users. */
function tableOf(found: Published, tree: BucketTree, topology: Topology, dataDirectory: string): RoutingTable | null {
  if (!found.snapshot) return null;
  const table = decodeTable(found.snapshot.table, `${dataDirectory}: version ${found.snapshot.version}`);
  const anew = 'start with a new dataDirectory to publish a first table, which moves users without the change guards';
  if (table.height !== tree.height) {
    throw new ConfigError(
      `${dataDirectory}: its table has 2^${table.height} buckets and the tree 2^${tree.height}; serve a tree of height ${table.height}, or ${anew}`,
    );
  }
  const targets = makeTargets(topology);
  const sameEdges =
    table.edges.length === topology.edges.length && table.edges.every((id, e) => id === topology.edges[e]!.id);
  const sameTargets =
    table.targets.length === targets.length && table.targets.every((t, d) => t.datacenter === targets[d]!.datacenter);
  if (!sameEdges || !sameTargets) {
    const noun = sameEdges ? 'datacenters' : 'edges';
    throw new ConfigError(
      `${dataDirectory}: its table is for other ${noun} than the world's; serve the old world, or ${anew}`,
    );
  }
  return { ...table, treeVersion: tree.version };
}

function readinessOf(feed: Feed, freshUntilMs: number, stopping: boolean): { ready: boolean; detail: string } {
  if (stopping) return { ready: false, detail: 'stopping' };
  if (feed.isEmpty) return { ready: false, detail: 'no table was published yet' };
  if (Date.now() > freshUntilMs) return { ready: false, detail: 'the published table is not fresh' };
  return { ready: true, detail: 'ready' };
}

async function keepTreeAndWeights(
  directory: DataDirectory,
  tree: BucketTree,
  treeFile: string,
  weights: { readonly text: string; readonly sha256: string },
): Promise<void> {
  const objects = directory.within('objects');
  // The file may have been replaced since it was read: what goes under a tree's version is that tree.
  await keepObject(objects, treeObject(tree.version), async () => {
    if (readTree(treeFile).version !== tree.version) {
      throw new Error(`${treeFile} is another tree than the one in use; restart to use it`);
    }
    return readFile(treeFile);
  });
  await keepObject(objects, weightsObject(weights.sha256), () => packWeights(weights.text));
}

/** Lets go of what no kept journal file names any more. */
async function forgetObjects(directory: DataDirectory): Promise<void> {
  const kept = new Set<string>();
  for (const { treeVersion, weightsSha256 } of await checkpointsOf(directory.within('journal'))) {
    kept.add(treeObject(treeVersion)).add(weightsObject(weightsSha256));
  }
  await pruneObjects(directory.within('objects'), kept);
}

async function recordedSummaries(journalDirectory: string, count: number): Promise<readonly EpochSummary[]> {
  return (await recentOutcomes(journalDirectory, count)).map(({ summary }) => summary as EpochSummary);
}

/** The built page, beside the built server or, run from the sources, where the build puts it. */
function consoleDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const built = import.meta.url.endsWith('.js') ? '../../console' : '../../../dist/pipeline/console';
  return resolve(here, built);
}

function listen(server: Server, { host, port }: ServerSpec['listen']): Promise<Server> {
  server.keepAliveTimeout = 75_000; // longer than the minute after which most proxies close theirs
  server.headersTimeout = 20_000;
  server.requestTimeout = 30_000; // to receive a request; answers may take as long as a client waits
  return new Promise((resolveListening, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
      reject(new ConfigError(`listen ${host}:${port}: ${why}; choose another port or host`));
    });
    server.listen(port, host, () => resolveListening(server));
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolveClosed) => server.close(() => resolveClosed()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 2000);
  await closed;
  clearTimeout(timer);
}

/** Every one is closed, whatever another does: one that hangs (a file on a dead disk) is left behind. The deadline's
 *  timer also keeps the process from ending, with status 0, while it waits for nothing but a thread. */
async function closeAll(opened: (() => Promise<unknown>)[]): Promise<void> {
  for (const close of opened.splice(0).reverse()) await inTime(close(), closeMsMax, 'closing').catch(() => {});
}
