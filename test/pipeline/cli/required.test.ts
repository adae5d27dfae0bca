import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bucketizeCommand } from '../../../pipeline/cli/bucketize.ts';
import { showRequired } from '../../../pipeline/cli/required.ts';
import { treeCommand } from '../../../pipeline/cli/tree.ts';

const program = fileURLToPath(new URL('../../../dist/pipeline/cli/main.js', import.meta.url));
const inOneLine = (help: string): string => help.replaceAll(/\s+/g, ' ');

test('help marks the flags that a verb cannot do without, and no others', () => {
  const help = inOneLine(showRequired(bucketizeCommand()).helpInformation());
  expect(help).toContain('--out <tree> tree file to write (required) --users');
  expect(help.match(/\(required\)/g)).toHaveLength(1);
  expect(help).toContain('(default: "1")'); // what else Commander says is said
});

test('so does the help of verbs below a verb', () => {
  const activate = showRequired(treeCommand()).commands.find((command) => command.name() === 'activate')!;
  expect(inOneLine(activate.helpInformation())).toMatch(/--reason <reason> why, [^()]* \(required\)/);
});

test('the program shows help so', (context) => {
  if (!existsSync(program)) context.skip('not built: npm run build');
  const help = execFileSync(process.execPath, [program, 'tree', 'activate', '--help'], { encoding: 'utf8' });
  expect(inOneLine(help)).toMatch(/--reason <reason> [^()]* \(required\)/);
});
