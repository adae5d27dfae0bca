/** The built program as people run it against a server of a test. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Run, Setting } from '../server/small-setting.ts';

const program = fileURLToPath(new URL('../../../dist/pipeline/cli/main.js', import.meta.url));

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** `taiji ...words` by Ann, in the directory of the setting. */
export function taijiAgainst(server: Run, { directory }: Setting, words: readonly string[]): Promise<Said> {
  const env = { ...process.env, TAIJI_SERVER: server.url, TAIJI_TOKEN: server.token, USER: 'ann' };
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...words], { env, cwd: directory }, (failed, out, error) => {
      resolve({ code: failed ? Number(failed.code) : 0, out, error });
    });
  });
}
