/** Files that are there whole or not at all, whatever moment the process or the machine dies: temporary file, fsync,
 *  rename, fsync of the directory. Asynchronous, because an fsync on a slow disk must not hold up the feed. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export const privateFileMode = 0o600;
export const privateDirectoryMode = 0o700;

const temporarySuffix = '.tmp';

/** Replaces `path`. Rejects with the file system's error, the old contents untouched. */
export async function writeDurably(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}${temporarySuffix}`;
  try {
    const file = await open(temporary, 'wx', privateFileMode);
    try {
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // the first error is the one to tell
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** A rename or a new file is only on the disk once its directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: privateDirectoryMode });
}

/** What a kill between write and rename left behind, in `directory` and below. Returns how many files went. */
export async function removeTemporaryFiles(directory: string): Promise<number> {
  let removed = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(temporarySuffix)) continue;
    await rm(join(entry.parentPath, entry.name), { force: true });
    removed += 1;
  }
  return removed;
}
