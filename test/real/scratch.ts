/** A directory for everything a file of tests leaves on the disk, gone once they have run. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export function removeLater(): string {
  const dir = mkdtempSync(join(tmpdir(), 'taiji-real-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
