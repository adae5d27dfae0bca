/** The data directory: one process at a time, nobody else's eyes. The lock is a directory whose time of change is
 *  renewed every second, so that a killed process's lock is free again in seconds, on any file system with mkdir.
 *  Declined: asking whether the owner's process id lives (in containers that share a volume every process is number 1). */

import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { formatTime } from '../../../config/duration.ts';
import { ConfigError } from '../../../config/errors.ts';
import { makePrivateDirectory, privateDirectoryMode, writeDurably } from '../../publish/io/durable-file.ts';

export interface DataDirectory {
  readonly path: string;
  within(...names: string[]): string;
  release(): Promise<void>;
}

/** `taken`: another process has the lock now; stop at once. `failing`: the lock cannot be renewed; nobody else can
 *  take it on such a disk either. */
export type LockLoss = { readonly kind: 'taken' | 'failing'; readonly detail: string };

const staleMs = 3000;
const renewMs = 1000;

/** Makes, closes off and locks the directory; waits as long as a killed process's lock needs to go stale. Rejects with
 *  a ConfigError where another process keeps it. */
export async function openDataDirectory(path: string, onLost: (loss: LockLoss) => void): Promise<DataDirectory> {
  try {
    await makePrivateDirectory(path);
    await chmod(path, privateDirectoryMode);
  } catch (error) {
    throw new ConfigError(
      `data directory ${path}: cannot be made or closed off (${messageOf(error)}); name another one`,
    );
  }
  const ownerFile = join(path, 'owner.json');
  let release: () => Promise<void>;
  try {
    release = await lockfile.lock(path, {
      lockfilePath: join(path, 'lock'),
      stale: staleMs,
      update: renewMs,
      retries: { retries: Math.ceil((staleMs + renewMs) / 250), factor: 1, minTimeout: 250, maxTimeout: 250 },
      onCompromised: (error) => onLost(lossOf(error)),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOCKED') {
      throw new ConfigError(
        `data directory ${path}: in use by ${await ownerOf(ownerFile)}; stop that one, or give this server a dataDirectory of its own`,
      );
    }
    throw new ConfigError(
      `data directory ${path}: cannot be locked (${messageOf(error)}); check permissions and space`,
    );
  }
  // Only for the message above, so a disk without room for it is no reason not to start.
  const owner = { pid: process.pid, since: formatTime(Date.now()) };
  await writeDurably(ownerFile, `${JSON.stringify(owner)}\n`).catch(() => {});
  return {
    path,
    within: (...names) => join(path, ...names),
    release: () => release().catch(() => {}), // already lost: nothing to give back
  };
}

/** Rejects with a ConfigError where a control plane has the directory: what it goes on from is its own. */
export async function checkNotInUse(path: string, mend: string): Promise<void> {
  const isLocked = await lockfile.check(path, { lockfilePath: join(path, 'lock'), stale: staleMs }).catch(() => false);
  if (isLocked) throw new ConfigError(`${path}: in use by ${await ownerOf(join(path, 'owner.json'))}; ${mend}`);
}

function lossOf(error: Error): LockLoss {
  const code = (error as NodeJS.ErrnoException & { code?: string }).code;
  const failing = code !== undefined && code !== 'ECOMPROMISED' && code !== 'ENOENT';
  return { kind: failing ? 'failing' : 'taken', detail: error.message };
}

async function ownerOf(ownerFile: string): Promise<string> {
  try {
    const { pid, since } = JSON.parse(await readFile(ownerFile, 'utf8')) as { pid: number; since: string };
    return `process ${Number(pid)} (since ${String(since).slice(0, 30)})`;
  } catch {
    return 'another process';
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0]! : String(error);
}
