/** Which room a file is in, and what that room may import. The one table of the architecture: change it here, in
 *  CONTRIBUTING and in docs/decisions/0001 together. */

export interface Room {
  readonly name: string;
  readonly holds: RegExp;
  readonly mayImport: readonly string[]; // besides itself
}

const rooms: readonly Room[] = [
  room('config', /^config\//, []),
  room('bucketizer', /^bucketizer\//, ['config']),
  room('runtime', /^runtime\//, ['config']),
  room('pipeline/table', /^pipeline\/table\//, ['config', 'bucketizer', 'runtime']),
  room('pipeline/epoch', /^pipeline\/epoch(\.ts$|\/)/, ['config', 'bucketizer', 'runtime', 'pipeline/table']),
  room('pipeline/replay', /^pipeline\/replay\//, [
    'config',
    'bucketizer',
    'runtime',
    'pipeline/table',
    'pipeline/epoch',
  ]),
  room('pipeline/publish', /^pipeline\/publish\//, [
    'config',
    'bucketizer',
    'runtime',
    'pipeline/table',
    'pipeline/epoch',
  ]),
  room('pipeline/formats', /^pipeline\/formats\//, ['config', 'pipeline/table']),
  room('pipeline/edge', /^pipeline\/edge\//, ['config', 'pipeline/table', 'pipeline/publish', 'pipeline/formats']),
  room('pipeline/server', /^pipeline\/server\//, [
    'config',
    'bucketizer',
    'runtime',
    'pipeline/table',
    'pipeline/epoch',
    'pipeline/replay',
    'pipeline/publish',
    'pipeline/formats',
  ]),
  room('pipeline/cli', /^pipeline\/cli\//, [
    'config',
    'bucketizer',
    'runtime',
    'pipeline/table',
    'pipeline/epoch',
    'pipeline/replay',
    'pipeline/publish',
    'pipeline/formats',
    'pipeline/edge',
    'pipeline/server',
  ]),
  // Runs in a browser: it knows the shapes of what the server sends, and none of our code.
  room('pipeline/console', /^pipeline\/console\//, []),
];

export function roomOf(path: string): Room | null {
  return rooms.find(({ holds }) => holds.test(path)) ?? null;
}

export function isTest(path: string): boolean {
  return path.startsWith('test/');
}

/** Settings of build tools, no part of the product. */
export function isToolConfig(path: string): boolean {
  return /(^|\/)[a-z]+\.config\.ts$/.test(path);
}

export function isConsole(path: string): boolean {
  return path.startsWith('pipeline/console/');
}

/** Where effects may happen. */
export function isShell(path: string): boolean {
  return /\/io\//.test(path) || path.startsWith('pipeline/cli/') || path === 'config/load.ts' || isTest(path);
}

/** Decides and does nothing: told the time, chance and solver. */
export function isCore(path: string): boolean {
  return roomOf(path) !== null && !isShell(path) && !isConsole(path) && !isToolConfig(path);
}

function room(name: string, holds: RegExp, mayImport: readonly string[]): Room {
  return { name, holds, mayImport };
}
