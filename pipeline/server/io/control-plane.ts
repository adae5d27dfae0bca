/** The control plane, put together: reads what people state, takes the data directory, finds the last published tables
 *  and serves them, then runs epochs until told to stop. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { ConfigError } from '../../../config/errors.ts';
import { compareIds, type ServiceId } from '../../../config/ids.ts';
import { builtFile } from '../../../config/io/built.ts';
import { type ServerSpec, statedServices } from '../../../config/server.ts';
import type { Topology } from '../../../config/topology.ts';
import type { PlanEpoch, PlanGroup } from '../../epoch.ts';
import { openEmbeddedStore } from '../../publish/io/embedded-store.ts';
import { inTime } from '../../publish/io/in-time.ts';
import { withDeadline } from '../../publish/io/store-deadline.ts';
import { planRamped } from '../../replay/ramped-group.ts';
import { type AlertReason, type Alerts, withAlert } from '../alert.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import { IntentBook } from '../intent-book.ts';
import { countIntents } from '../intent-states.ts';
import { makeApp } from './app.ts';
import type { ControlPlaneView, ServiceView } from './control-plane-view.ts';
import { type DataDirectory, type LockLoss, openDataDirectory } from './data-directory.ts';
import { EventStream } from './event-stream.ts';
import { Journal, routingsNamed } from './journal.ts';
import { closeServer, listen } from './listening.ts';
import type { LoopDriver } from './loop-driver.ts';
import { Metrics } from './metrics.ts';
import { objectsOf, pruneObjects, RoutingObjects } from './objects.ts';
import { type FindingParts, type FoundService, findService, type OpenGroup, openGroup } from './open-group.ts';
import { openSigningKey, openToken } from './secrets.ts';
import type { ServiceRun, SharedParts } from './service-run.ts';
import { readStated } from './stated-services.ts';
import { TreeShelf } from './tree-shelf.ts';

export interface ControlPlaneOptions {
  readonly log: Logger;
  /** Paths of the config are taken from here. */
  readonly baseDirectory: string;
  /** Plans and compares, and gives its tables to nobody. Its state is in a directory of its own, within the data directory. */
  readonly isShadow?: boolean;
  /** Called after each epoch of each service, once everybody was told. */
  readonly onEpoch?: (epoch: EpochSummary, service: ServiceId) => void;
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
  const { log, isShadow = false } = options;
  const at = (path: string): string => resolve(options.baseDirectory, path);
  const stated = readStated(spec, at, log);
  const { topology, users } = stated.telemetry.world;

  if (isShadow) checkComparable(spec);
  const dataDirectory = isShadow ? join(at(spec.dataDirectory), 'shadow') : at(spec.dataDirectory);
  let onLost: (loss: LockLoss) => void = () => {};
  const directory = await openDataDirectory(dataDirectory, (loss) => onLost(loss));
  opened.push(() => directory.release());
  const token = await openToken(spec.tokenFile === null ? directory.within('token') : at(spec.tokenFile));
  const signingKey = await openSigningKey(directory.within('keys', 'signing-key.pem'));
  const store = withDeadline(await openEmbeddedStore(directory.within('store')), storeDeadlineMs);
  const lease = await store.lease();
  opened.push(() => lease.release());
  const { book, damage } = await IntentBook.open(store, lease.term);
  const alerts: Alerts = withAlert(new Map(), 'store-damaged', damage);

  const shelf = new TreeShelf(directory.within('objects'), directory.within('incoming'));
  const { historyEpochs } = spec;
  const objects = new RoutingObjects(directory.within('objects'));
  const places = { topology, users };
  const finding: FindingParts = { store, directory, shelf, objects, places, historyEpochs, isShadow, log };
  const found: FoundService[][] = [];
  for (const { services } of stated.groups) {
    const group: FoundService[] = [];
    for (const one of services) group.push(await findService(one, finding));
    found.push(group);
  }
  const all = found.flat().sort((a, b) => compareIds(a.service, b.service));
  let groups: readonly OpenGroup[] = [];
  const journals = found.map(([first]) => {
    const ofGroup = found.length > 1 ? { group: first!.service } : {};
    const onPruned = () =>
      forgetObjects(
        directory,
        shelf,
        groups.flatMap(({ runs }) => runs),
      );
    const settings = { ...spec.journal, ...ofGroup, deadlineMs: journalDeadlineMs, onPruned };
    const journal = new Journal(directory.within('journal'), lease.term, settings, options.openJournalFile);
    opened.push(() => journal.close());
    return journal;
  });
  const events = new EventStream(new Map(all.map(({ service, history }) => [service, history])));
  opened.push(async () => events.close());
  const runOf = (service: ServiceId) =>
    groups.flatMap(({ runs }) => runs).find(({ parts }) => parts.service === service);
  const metrics = new Metrics({
    services: all.map(({ service, decidedAtMs, feed, trees }) => ({
      service,
      decidedAtMs: () => runOf(service)?.decidedAtMs ?? decidedAtMs,
      journalBytes: () => journals[found.findIndex((group) => group.some((one) => one.service === service))]!.bytes,
      waiting: () => feed.waiting,
      treeProgress: () => trees.progress,
      intents: () => {
        const run = runOf(service);
        const waiting = run?.state.carried.intents?.waiting ?? [];
        return countIntents(book.all, service, run?.inputs.observed?.intents ?? [], waiting);
      },
      realised: () => realisedOf(runOf(service), topology, Date.now()),
    })),
    nowMs: Date.now,
    isShadow,
  });
  for (const { service } of all) metrics.term(service, lease.term);
  opened.push(async () => metrics.registry.clear());
  const shared: SharedParts = {
    topology,
    intents: book,
    events,
    metrics,
    log,
    nowMs: Date.now,
    onEpoch: options.onEpoch ?? (() => {}),
  };
  // A service that joins an old world does not begin it anew.
  const firstStartMs = Math.max(
    stated.telemetry.firstStartMs,
    ...all.flatMap(({ published }) => (published.head ? [published.head.startMs] : [])),
  );
  const opening: OpenGroup[] = [];
  for (const [g, group] of found.entries()) {
    const open = await openGroup(stated.groups[g]!, group, {
      spec,
      shelf,
      objects,
      users,
      store,
      term: lease.term,
      signingKey,
      shared,
      plan: planOf(options.plan),
      planMsMax,
      journal: journals[g]!,
      alerts,
      firstStartMs,
      solverEntry: options.solverEntry ?? null,
      isShadow,
    });
    opened.push(() => open.close());
    opening.push(open);
  }
  groups = opening;

  const stopping = new AbortController();
  const byName = new Map(groups.flatMap(({ views }) => views).map((one) => [one.service as string, one]));
  const services = new Map(all.map(({ service }) => [service as string, byName.get(service)!]));
  const view: ControlPlaneView = {
    services,
    topology,
    intents: book,
    shelf,
    plan: planOf(options.plan),
    events,
    metrics,
    signingKey,
    isShadow,
    readiness: () => readinessOf([...services.values()], stopping.signal.aborted),
    stopping: stopping.signal,
    nowMs: Date.now,
  };
  const app = makeApp(view, {
    hosts: [spec.listen.host, ...spec.allowedHosts],
    token,
    consoleDirectory: fileURLToPath(builtFile('pipeline/console')),
    log,
  });
  const server = await listen(createServer(app), spec.listen);
  opened.push(() => closeServer(server));
  const { address, family, port } = server.address() as AddressInfo;
  const url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  const serving = [...services.values()].map(({ service, status }) => {
    const { version, epoch } = status();
    return { service, version, epoch: epoch + 1 };
  });
  const [only, ...others] = serving;
  const what = others.length === 0 ? only! : { services: serving };
  const said = { url, ...what, term: lease.term, tokenFile: token.path };
  log.info(said, isShadow ? 'in shadow: tables are planned and given to nobody' : 'serving');

  const drivers = groups.map((group) => group.start());
  onLost = ({ kind, detail }) => {
    for (const driver of drivers) {
      if (kind === 'taken') {
        driver.dispatch({ kind: 'deposed', message: `the data directory's lock was lost: ${detail}` });
      } else driver.dispatch({ kind: 'noticed', reason: 'lock-failing' satisfies AlertReason, message: detail });
    }
  };
  const done = allDone(drivers).then(async (error) => {
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
      for (const driver of drivers) driver.dispatch({ kind: 'stop' });
      const timer = setTimeout(() => {
        for (const driver of drivers) driver.abandon();
      }, stopMsMax);
      await done;
      clearTimeout(timer);
    },
  };
}

/** Throws a ConfigError where nothing will ever say what is done today. */
function checkComparable(spec: ServerSpec): void {
  const { telemetry } = spec;
  const isWatched =
    telemetry.kind === 'push' || (telemetry.kind === 'prometheus' && telemetry.queries.allocation !== null);
  if (isWatched || statedServices(spec).every(({ firstTable }) => firstTable !== undefined)) return;
  throw new ConfigError(
    'serve --shadow: nothing says what edges do today; give firstTable (taiji import makes one), or telemetry with allocation',
  );
}

/** A plan for one service at a time, where a test brings one. */
function planOf(plan: PlanEpoch | undefined): PlanGroup {
  if (!plan) return planRamped;
  return (services) => Promise.all(services.map(({ inputs, context }) => plan(inputs, context)));
}

/** Where one group ends by itself (its lease is gone), so do the others: the process leads all of them, or none. */
async function allDone(drivers: readonly LoopDriver[]): Promise<string | null> {
  const errors = drivers.map(async (driver) => {
    const error = await driver.done;
    if (error !== null) for (const other of drivers) other.dispatch({ kind: 'deposed', message: error });
    return error;
  });
  return (await Promise.all(errors)).find((error) => error !== null) ?? null;
}

/** Of the edges of which it is known. */
function realisedOf(run: ServiceRun | undefined, { edges }: Topology, nowMs: number): (readonly [string, number])[] {
  return edges.flatMap(({ id }, e) => {
    const realised = run?.parts.realised.of(e, nowMs) ?? null;
    return realised ? [[id, realised.distance] as const] : [];
  });
}

function readinessOf(services: readonly ServiceView[], stopping: boolean): { ready: boolean; detail: string } {
  if (stopping) return { ready: false, detail: 'stopping' };
  for (const { service, feed, status } of services) {
    const of = services.length > 1 ? ` of ${service}` : '';
    if (feed.isEmpty) return { ready: false, detail: `no table${of} was published yet` };
    if (Date.now() > status().freshUntilMs) return { ready: false, detail: `the published table${of} is not fresh` };
  }
  return { ready: true, detail: 'ready' };
}

/** Lets go of what neither a kept journal file names nor this process uses. */
function forgetObjects(directory: DataDirectory, shelf: TreeShelf, runs: readonly ServiceRun[]): Promise<void> {
  return pruneObjects(directory.within('objects'), async () => {
    const inUse = [...shelf.kept, ...runs.flatMap(({ objects }) => objects)];
    const named = await routingsNamed(directory.within('journal'));
    return new Set([...inUse, ...named.flatMap(objectsOf)]);
  });
}

/** Every one is closed, whatever another does: one that hangs (a file on a dead disk) is left behind. The deadline's
 *  timer also keeps the process from ending, with status 0, while it waits for nothing but a thread. */
async function closeAll(opened: (() => Promise<unknown>)[]): Promise<void> {
  for (const close of opened.splice(0).reverse()) await inTime(close(), closeMsMax, 'closing').catch(() => {});
}
