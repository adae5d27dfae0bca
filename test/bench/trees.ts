/** How long others wait for a control plane that has trees to work on, `npm run bench -- trees`: a server of its own process
 *  answers /healthz all the while, as another tree is looked at, begun and passed to. Wall time: what an edge sees. */

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Figure, told } from './figure.ts';

const program = join(import.meta.dirname, '../../pipeline/cli/main.js');
const everyMs = 10;
const epochsOnTheWay = 8;

export async function treesFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const users of [20_000, 50_000, 200_000]) figures.push(...(await figuresOf(users)));
  return figures;
}

async function figuresOf(users: number): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'taiji-trees-'));
  const taiji = (...args: readonly string[]): void => {
    execFileSync(process.execPath, [program, ...args], { cwd: dir, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  let child: ChildProcess | null = null;
  try {
    taiji('world', '--out', 'world', '--users', String(users), '--days', '1');
    for (const seed of ['1', '2']) {
      taiji('bucketize', 'world/friends.csv.gz', '--users', 'world/users.csv', '--out', `tree-${seed}`, '--seed', seed);
    }
    writeFileSync(
      join(dir, 'policy.yaml'),
      JSON.stringify({ ...head('Policy'), metadata: { service: 'web' }, spec: {} }),
    );
    writeFileSync(join(dir, 'server.yaml'), JSON.stringify({ ...head('Server'), spec }));
    const server = await serving(dir);
    child = server.child;
    await server.epochs(3); // warm
    const { url } = server;
    const activate = ['tree', 'activate', 'tree-2', '--server', url, '--token-file', 'data/token', '--reason', 'bench'];
    const run = (...args: readonly string[]) => promisify(execFile)(process.execPath, [program, ...args], { cwd: dir });
    const phases: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['epochs without', () => server.epochs(epochsOnTheWay)],
      ['handed in and looked at', () => run(...activate, '--dry-run')],
      ['begun', () => run(...activate)],
      ['epochs on the way', () => server.epochs(epochsOnTheWay)],
    ];
    const figures: Figure[] = [];
    for (const [phase, work] of phases) {
      const { seconds, waitsMs } = await waitsDuring(`${url}/healthz`, work());
      const worst = waitsMs.reduce((a, b) => Math.max(a, b), 0);
      const over = waitsMs.filter((ms) => ms > 100).length;
      figures.push(
        told(
          `${users} users, ${phase}`,
          `${seconds.toFixed(1)} s; an answer takes ${worst.toFixed(0)} ms at worst, ${over} of ${waitsMs.length} over 100 ms`,
        ),
      );
    }
    return figures;
  } finally {
    await ended(child);
    rmSync(dir, { recursive: true, force: true });
  }
}

const head = (kind: string) => ({ apiVersion: 'taiji/v1', kind });
const spec = {
  dataDirectory: 'data',
  policy: 'policy.yaml',
  tree: 'tree-1',
  telemetry: { kind: 'world', dir: 'world', repeat: true },
  clock: { epochWall: '1s' },
  listen: { host: '127.0.0.1', port: 0 },
};

interface Serving {
  readonly child: ChildProcess;
  readonly url: string;
  /** So many more have ended. */
  epochs(count: number): Promise<void>;
}

async function serving(dir: string): Promise<Serving> {
  const child = spawn(process.execPath, [program, 'serve', '--config', 'server.yaml'], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let seen = 0;
  let onLine = (): void => {};
  const url = new Promise<string>((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`the server ended with status ${status}`)));
    createInterface({ input: child.stderr! }).on('line', (line) => {
      const said: { readonly msg?: string; readonly url?: string } = JSON.parse(line);
      if (said.msg === 'serving' && said.url !== undefined) resolve(said.url);
      if (said.msg === 'epoch') {
        seen += 1;
        onLine();
      }
    });
  });
  const epochs = (count: number): Promise<void> => {
    const until = seen + count;
    return new Promise((resolve) => {
      onLine = () => {
        if (seen >= until) resolve();
      };
    });
  };
  return { child, url: await url, epochs };
}

/** One question after the other until `work` is done. */
async function waitsDuring(
  url: string,
  work: Promise<unknown>,
): Promise<{ readonly seconds: number; readonly waitsMs: readonly number[] }> {
  const startMs = performance.now();
  const waitsMs: number[] = [];
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const askedMs = performance.now();
    await (await fetch(url)).text();
    waitsMs.push(performance.now() - askedMs);
    await sleep(everyMs);
  }
  await done;
  return { seconds: (performance.now() - startMs) / 1000, waitsMs };
}

async function ended(child: ChildProcess | null): Promise<void> {
  if (!child || child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
