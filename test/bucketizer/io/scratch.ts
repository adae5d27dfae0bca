/** A folder of a test's own, removed after it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** `write(name, contents)` returns the path of the file written. */
export function scratchFolder(): { dir: string; write: (name: string, contents: string | Uint8Array) => string } {
  const dir = mkdtempSync(join(tmpdir(), 'taiji-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return {
    dir,
    write(name, contents) {
      const path = join(dir, name);
      writeFileSync(path, contents);
      return path;
    },
  };
}
