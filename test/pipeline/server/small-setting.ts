/** A small generated world with tree, policy and server config on disk, and the control plane run on it: in this
 *  process, or as the built program in one of its own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { stringify } from 'yaml';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { writeTree } from '../../../bucketizer/io/tree-file.ts';
import { generateWorld } from '../../../config/generate.ts';
import { writeWorld } from '../../../config/load.ts';
import { type ServerSpec, serverSchema } from '../../../config/server.ts';
import type { World } from '../../../config/world.ts';
import type { EpochSummary } from '../../../pipeline/server/epoch-summary.ts';
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from '../../../pipeline/server/io/control-plane.ts';

export const service = 'web';

export interface Setting {
  readonly directory: string; // world, tree, policy; and whatever a test puts there
  readonly world: World;
}

/** Gone after the file's tests. */
export function smallSetting(): Setting {
  const directory = mkdtempSync(join(tmpdir(), 'taiji-serve-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const world = generateWorld({ seed: 7, edges: 4, datacenters: 3, users: 400, days: 1 });
  writeWorld(join(directory, 'world'), world);
  const { users, friends } = world;
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  writeTree(join(directory, 'tree'), bucketize(input, { height: 6, seed: 1, effort: 'fast' }).tree);
  const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service } };
  writeFileSync(join(directory, 'policy.yaml'), stringify(policy));
  return { directory, world };
}

/** The same with two services that share the datacenters: "web" of requests and "chat" of sessions, due every other tick. */
export function servicesSetting(): Setting {
  const setting = smallSetting();
  const { directory, world } = setting;
  const part = (service: string, share: number) => ({ service, rps: world.demand.rps.map((rps) => rps * share) });
  const services = [part('chat', 0.4), part('web', 0.6)];
  const rps = services[0]!.rps.map((own, i) => own + services[1]!.rps[i]!);
  const whole = { ...world, services, demand: { ...world.demand, rps } };
  writeWorld(join(directory, 'world'), whole);
  const policy = (of: string, spec: unknown) =>
    writeFileSync(
      join(directory, `${of}.yaml`),
      stringify({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: of }, spec }),
    );
  policy('web', {});
  policy('chat', { epoch: '10m', traffic: { kind: 'sticky', sessionLifetime: '20m' } });
  return { directory, world: whole };
}

/** What a config says in place of one policy. */
export const bothServices = { policy: null, services: [{ policy: 'web.yaml' }, { policy: 'chat.yaml' }] } as const;

function specOf(more: Record<string, unknown> = {}): ServerSpec {
  return serverSchema.parse(documentOf(more)).spec;
}

function documentOf(more: Record<string, unknown>): unknown {
  return {
    apiVersion: 'taiji/v1',
    kind: 'Server',
    spec: {
      dataDirectory: 'data',
      policy: 'policy.yaml',
      tree: 'tree',
      telemetry: { kind: 'world', dir: 'world', repeat: true },
      clock: { epochWall: '100ms' },
      listen: { host: '127.0.0.1', port: 0 },
      ...more,
    },
  };
}

export interface Run extends ControlPlane {
  readonly token: string;
  readonly logged: readonly Record<string, unknown>[];
  readonly epochs: readonly Told[];
  /** The first epoch, also of those that were, for which `holds`. */
  epoch(holds: (summary: Told) => boolean): Promise<Told>;
}

export interface Told extends EpochSummary {
  readonly service: string;
}

/** In this process. */
export async function run(
  setting: Setting,
  more: Record<string, unknown> = {},
  options: Partial<ControlPlaneOptions> = {},
): Promise<Run> {
  const logged: Record<string, unknown>[] = [];
  const epochs: Told[] = [];
  const waiting = new Set<() => void>();
  const controlPlane = await startControlPlane(specOf(more), {
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    baseDirectory: setting.directory,
    onEpoch: (summary, of) => {
      epochs.push({ ...summary, service: of });
      for (const look of [...waiting]) look();
    },
    ...options,
  });
  const epoch = (holds: (summary: Told) => boolean): Promise<Told> =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = epochs.find(holds);
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { ...controlPlane, token: readFileSync(controlPlane.tokenFile, 'utf8').trim(), logged, epochs, epoch };
}

const program = fileURLToPath(new URL('../../../dist/pipeline/cli/main.js', import.meta.url));

export const isBuilt = existsSync(program);

export interface Process {
  readonly child: ChildProcess;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  readonly stderr: () => string;
  /** The first line of the log for which `holds`; null once the process ended without one. */
  line(holds: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown> | null>;
}

/** `taiji serve` as people run it; `shell` runs before it in the same process (`ulimit -f 8`). `node`: what Node is told. */
export function spawnServe(
  setting: Setting,
  more: Record<string, unknown> = {},
  shell = ':',
  node: readonly string[] = [],
): Process {
  const config = join(setting.directory, `server-${process.pid}-${spawned++}.yaml`);
  writeFileSync(config, stringify(documentOf(more)));
  const child = spawn('sh', [
    '-c',
    `${shell}; exec "$0" "$@"`,
    process.execPath,
    ...node,
    program,
    'serve',
    '--config',
    config,
  ]);
  let text = '';
  let ended = false;
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const each of [...waiting]) each();
  };
  child.stderr.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    look();
  });
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => {
      ended = true;
      look();
      resolve({ code, signal });
    });
  });
  const line = (holds: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown> | null> =>
    new Promise((resolve) => {
      const each = (): void => {
        const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
        const found = whole
          .filter((one) => one.startsWith('{'))
          .map((one) => JSON.parse(one))
          .find(holds);
        if (!found && !ended) return;
        waiting.delete(each);
        resolve(found ?? null);
      };
      waiting.add(each);
      each();
    });
  return { child, exit, stderr: () => text, line };
}

let spawned = 0;
