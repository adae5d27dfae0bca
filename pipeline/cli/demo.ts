/** `taiji demo`: the whole of it on this machine, no other service and no internet. A generated world, its users put
 *  into buckets, and the control plane that `taiji serve` runs, on a clock that has an epoch every second or so. In the
 *  middle somebody drains a datacenter through the HTTP API, as an operator would, and later lets it back. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { destination, pino } from 'pino';
import { stringify } from 'yaml';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { progressBar } from '../../bucketizer/io/progress.ts';
import { writeTree } from '../../bucketizer/io/tree-file.ts';
import { checked } from '../../config/checked.ts';
import { ConfigError } from '../../config/errors.ts';
import { generateWorld } from '../../config/generate.ts';
import { makeDirectory, writeFileAtomically } from '../../config/io/files.ts';
import { writeWorld } from '../../config/load.ts';
import { serverSchema } from '../../config/server.ts';
import type { World } from '../../config/world.ts';
import type { EpochSummary } from '../server/epoch-summary.ts';
import { type ControlPlane, startControlPlane } from '../server/io/control-plane.ts';

interface DemoOptions {
  readonly epochs?: string;
  readonly port?: string;
  readonly seed: string;
  readonly dir?: string;
  readonly users: string;
  readonly pace?: string;
}

const standardPort = 8470;
const treeHeight = 14;
const service = 'web';

export function demoCommand(): Command {
  return new Command('demo')
    .description('Generate a world and run the control plane in it, with a drain in the middle; Ctrl-C ends it')
    .option('--epochs <n>', 'end after this many epochs; without it the demo runs until Ctrl-C')
    .option('--port <n>', `port on 127.0.0.1 (default: ${standardPort}, or any free one)`)
    .option('--seed <n>', 'the same seed gives the same world and the same tables', '1')
    .option('--users <n>', 'users of the world', '20000')
    .option('--pace <duration>', 'time an epoch takes here (default: 1s, with --epochs 250ms)')
    .option('--dir <dir>', 'keep world, tree, config and data there (default: a temporary directory, removed)')
    .addHelpText(
      'after',
      `
Examples:
  taiji demo
  taiji demo --epochs 30
  taiji demo --dir demo --epochs 100 && taiji serve --config demo/server.yaml`,
    )
    .action(async (options: DemoOptions) => {
      process.exitCode = await runDemo(options);
    });
}

async function runDemo(options: DemoOptions): Promise<number> {
  const epochs = options.epochs === undefined ? null : wholeNumber(options.epochs, '--epochs', 1, 1_000_000);
  const seed = wholeNumber(options.seed, '--seed', 0, Number.MAX_SAFE_INTEGER);
  const users = wholeNumber(options.users, '--users', 1, 1_000_000);
  const port = options.port === undefined ? null : wholeNumber(options.port, '--port', 0, 65_535);
  const pace = options.pace ?? (epochs === null ? '1s' : '250ms');
  if (!/^[1-9]\d*(ms|s|m)$/.test(pace))
    throw new ConfigError(`--pace is "${pace}", expected a duration such as 250ms or 2s`);
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'taiji-demo-'));
  makeDirectory(dir);
  try {
    const world = generateWorld({ seed, users });
    await prepare(dir, world, seed);
    return await follow(await start(dir, port, pace), world, epochs);
  } finally {
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
  }
}

/** Writes what the control plane reads: world, tree and policy. */
async function prepare(dir: string, world: World, seed: number): Promise<void> {
  const { topology, users, friends } = world;
  writeWorld(join(dir, 'world'), world);
  say(
    `world    ${topology.edges.length} edges, ${topology.datacenters.length} datacenters, ${users.ids.length} users, ${friends.length / 2} ties (seed ${seed})`,
  );
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  const bar = await progressBar();
  const { tree, report } = bucketize(input, { height: treeHeight, seed }, ({ stage, done, total }) =>
    bar.show(stage, done, total),
  );
  bar.stop();
  writeTree(join(dir, 'tree'), tree);
  say(`buckets  ${1 << treeHeight}, mean locality over the levels ${report.meanLocality.toFixed(3)}`);
  const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service } };
  writeFileAtomically(join(dir, 'policy.yaml'), stringify(policy));
}

/** A control plane whose epochs are heard by whoever sets `hear`. */
interface Running {
  readonly control: ControlPlane;
  hear: (epoch: EpochSummary) => void;
}

/** Without a port asked for, the standard one or, where that is taken, any. */
async function start(dir: string, port: number | null, pace: string): Promise<Running> {
  const log = pino({ level: 'info' }, destination({ dest: join(dir, 'log.jsonl'), sync: true }));
  const early: EpochSummary[] = [];
  let hear = (epoch: EpochSummary): void => void early.push(epoch);
  const listenOn = async (candidate: number): Promise<ControlPlane> => {
    const config = {
      apiVersion: 'taiji/v1',
      kind: 'Server',
      spec: {
        dataDirectory: 'data',
        policy: 'policy.yaml',
        tree: 'tree',
        telemetry: { kind: 'world', dir: 'world', repeat: true },
        clock: { epochWall: pace },
        listen: { host: '127.0.0.1', port: candidate },
      },
    };
    writeFileAtomically(join(dir, 'server.yaml'), stringify(config));
    const { spec } = checked(serverSchema, config, 'the demo');
    return startControlPlane(spec, { log, baseDirectory: dir, onEpoch: (epoch) => hear(epoch) });
  };
  const control = await listenOn(port ?? standardPort).catch((error: unknown) => {
    if (port !== null || !(error instanceof ConfigError) || !error.message.startsWith('listen ')) throw error;
    return listenOn(0);
  });
  return {
    control,
    set hear(listener: (epoch: EpochSummary) => void) {
      hear = listener;
      for (const epoch of early.splice(0)) listener(epoch);
    },
  };
}

/** One line an epoch, the drain and its end, until enough epochs have passed, Ctrl-C or the end of the control plane.
 *  Returns the exit code. */
async function follow(running: Running, world: World, epochs: number | null): Promise<number> {
  const { control } = running;
  const token = readFileSync(control.tokenFile, 'utf8').trim();
  const edge = world.topology.edges[0]!.id;
  say(`page     ${control.url}/`);
  say(`metrics  ${control.url}/metrics`);
  say(`feed     ${control.url}/v1/services/${service}/edges/${edge}/table`);
  say('');
  const drain = new Drain(control.url, token, largest(world), drainTimes(epochs));
  const heard: EpochSummary[] = [];
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    void control.stop();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  running.hear = (epoch) => {
    if (stopping) return; // one more may have begun before the stop
    heard.push(epoch);
    say(epochLine(epoch));
    if (heard.length === epochs) stop();
    else drain.after(heard.length);
  };
  const failure = await control.done;
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
  await drain.settled;
  say('');
  say(summaryOf(heard, drain));
  const trouble = failure ?? (heard.length === epochs || !stopping ? drain.failure : null); // Ctrl-C may cut a request off
  if (trouble !== null) throw new ConfigError(`demo: ${trouble}`);
  return 0;
}

/** After how many epochs the drain comes and goes: in the thirds of a demo that ends, else early. */
function drainTimes(epochs: number | null): { readonly from: number; readonly to: number } {
  if (epochs === null) return { from: 20, to: 50 };
  const from = Math.max(1, Math.floor(epochs / 3));
  return { from, to: Math.max(from + 1, Math.floor((2 * epochs) / 3)) };
}

/** What an operator would do with curl: hand in an intent, and withdraw it later. */
class Drain {
  readonly datacenter: string;
  asked = false;
  settled: Promise<void> = Promise.resolve();
  failure: string | null = null;
  readonly #times: { readonly from: number; readonly to: number };
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, token: string, datacenter: string, times: { readonly from: number; readonly to: number }) {
    this.datacenter = datacenter;
    this.#url = `${url}/v1/intents`;
    this.#headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    this.#times = times;
  }

  after(epochs: number): void {
    const { datacenter } = this;
    if (epochs === this.#times.from) {
      this.asked = true;
      const intent = { kind: 'drain', id: 'demo-drain', author: 'demo', reason: 'power work', datacenter };
      this.#send(`drain ${datacenter}`, this.#url, { method: 'POST', body: JSON.stringify(intent) });
    }
    if (epochs === this.#times.to) this.#send(`undrain ${datacenter}`, `${this.#url}/demo-drain`, { method: 'DELETE' });
  }

  #send(what: string, url: string, request: RequestInit): void {
    say(`-- ${what}`);
    this.settled = this.settled
      .then(async () => {
        const response = await fetch(url, { ...request, headers: this.#headers });
        if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      })
      .catch((error: unknown) => {
        this.failure ??= `${what} failed: ${messageOf(error)}`;
      });
  }
}

/** What `fetch` knows of a failure is in its cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

function largest({ topology: { datacenters } }: World): string {
  return datacenters.reduce((most, next) => (next.capacityRps > most.capacityRps ? next : most)).id;
}

function epochLine({ time, outcome, reason, utilization, churn, relaxed }: EpochSummary): string {
  const [name, share] = highestOf(utilization);
  const columns = [
    time,
    outcome.padEnd(9),
    `highest ${share.toFixed(3)} ${name}`.padEnd(26),
    `churn ${churn.forced.toFixed(4)} forced ${churn.elective.toFixed(4)} elective`,
    `minimum ${churn.minimum.toFixed(4)}`,
  ];
  const remarks = [reason ?? '', relaxed.length > 0 ? `gave way: ${relaxed.join(', ')}` : ''].filter(
    (text) => text !== '',
  );
  return [...columns, ...remarks].join('  ');
}

function summaryOf(heard: readonly EpochSummary[], drain: Drain): string {
  if (heard.length === 0) return 'no epoch was planned';
  const counts = new Map<string, number>();
  for (const { outcome } of heard) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const outcomes = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  const later = heard.filter(({ outcome }) => outcome !== 'initial');
  const sum = (of: (epoch: EpochSummary) => number): number => later.reduce((total, epoch) => total + of(epoch), 0);
  const moved = sum(({ churn }) => churn.forced + churn.elective);
  const highest = Math.max(...heard.map(({ utilization }) => highestOf(utilization)[1]));
  const emptied = heard.some(({ utilization }) => utilization[drain.datacenter] === 0);
  const asked = drain.asked
    ? `${drain.datacenter} ${emptied ? 'was emptied' : 'was not emptied'}`
    : 'none, for want of epochs';
  return [
    `epochs   ${heard.length}: ${outcomes}`,
    `highest  utilization ${highest.toFixed(3)}`,
    `churn    ${moved.toFixed(4)} of demand in all, the least possible for these fractions is ${sum(({ churn }) => churn.minimum).toFixed(4)}`,
    `drain    ${asked}`,
  ].join('\n');
}

function highestOf(utilization: EpochSummary['utilization']): readonly [string, number] {
  return Object.entries(utilization).reduce<readonly [string, number]>(
    (most, next) => (next[1] > most[1] ? next : most),
    ['-', 0],
  );
}

function wholeNumber(text: string, flag: string, min: number, max: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new ConfigError(`${flag} is "${text}", expected a whole number, ${min}..${max}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
