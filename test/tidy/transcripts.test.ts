/** The README's sessions are real: its `console` blocks are run one after the other in an empty folder, with the built
 *  program as `npx taiji`, and must print what the README says to the letter; so must the demo, of which the README shows
 *  the start and the drain. Figures there are thus those of this version; after a change that moves them, REFRESH=1 npx
 *  vitest run test/tidy writes the new ones. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'dist/pipeline/cli/main.js');
const readmePath = join(root, 'README.md');
const { REFRESH: refresh } = process.env;
const folder = mkdtempSync(join(tmpdir(), 'taiji-readme-'));
symlinkSync(join(root, 'config'), join(folder, 'config')); // the sessions name its examples
symlinkSync(join(root, 'dist'), join(folder, 'dist'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every session in the README prints what it says', { timeout: 120_000 }, () => {
  expect(existsSync(program), 'the program is built; npm run build').toBe(true);
  let sessions = 0;
  const readme = readFileSync(readmePath, 'utf8');
  const real = readme.replaceAll(/(?<=^```console\n)[\s\S]*?(?=^```)/gm, (session) => {
    sessions += 1;
    return run(session);
  });
  expect(sessions).toBeGreaterThanOrEqual(2);
  hold(readme, real);
});

test('the demo in the README prints what it says', { timeout: 120_000 }, async () => {
  const readme = readFileSync(readmePath, 'utf8');
  const shown = /(?<=`npm run demo -- --epochs 27` ends by itself and prints:\n\n```\n)[\s\S]*?(?=^```)/m;
  expect(readme).toMatch(shown);
  const lines = await demoLines();
  const [begun, drained] = ['2026-', '-- drain '].map((start) => lines.findIndex((line) => line.startsWith(start)));
  const some = [...lines.slice(0, begun! + 1), '...', ...lines.slice(drained! - 2)];
  hold(readme, readme.replace(shown, `${some.join('\n')}\n`));
});

/** Up to the third epoch of its drain. At the pace of a demo without an end, and at any free port: a busy machine takes
 *  a drain in an epoch later, and the port may be taken. */
async function demoLines(): Promise<string[]> {
  const child = spawn(process.execPath, [program, 'demo', '--epochs', '27', '--pace', '1s', '--port', '0'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line.replace(/(?<=127\.0\.0\.1:)\d+/, '8470'));
    if (lines.at(-4)?.startsWith('-- drain ') === true) break;
  }
  child.kill('SIGINT');
  return lines;
}

function hold(readme: string, real: string): void {
  if (refresh === '1') writeFileSync(readmePath, real);
  else expect(real).toBe(readme);
}

/** The session with the output that its commands have now. */
function run(session: string): string {
  const commands = session.split('\n').filter((line) => line.startsWith('$ '));
  return commands
    .map((line) => {
      const command = line.slice(2).replaceAll('npx taiji', `"${process.execPath}" "${program}"`);
      // `|| true`: some sessions show a refusal.
      const output = execFileSync('bash', ['-c', `exec 2>&1; ${command} || true`], { cwd: folder, encoding: 'utf8' });
      return `${line}\n${output}`;
    })
    .join('');
}
