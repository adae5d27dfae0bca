import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDocument } from '../../config/document.ts';
import { readWorld } from '../../config/load.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { worldFileNames } from '../../config/world-files.ts';
import { scratchDirectory } from './small-world.ts';

const doc = readFileSync(new URL('../../docs/formats.md', import.meta.url), 'utf8');

test('every YAML example in docs/formats.md is valid, and the policy fits the example world', () => {
  const examples = [...doc.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) =>
    parseDocument(match[1]!, 'docs/formats.md'),
  );
  expect(examples.map(({ kind }) => kind)).toEqual(['policy', 'intent']);
  const { topology } = readWorld(exampleWorld());
  for (const example of examples)
    if (example.kind === 'policy') expect(checkPolicyFor(example.policy, topology, 'x')).toEqual([]);
});

test('the example world in docs/formats.md is one', () => {
  expect(readWorld(exampleWorld())).toMatchObject({ topology: { edges: [{ id: 'fra' }, { id: 'nyc' }] } });
});

/** The columns of files that stand side by side in the example, cut apart where their titles begin. */
function exampleWorld(): string {
  const block = /```\n(edges\.csv [\s\S]*?)```/.exec(doc)![1]!;
  const dir = scratchDirectory();
  let starts: number[] = [];
  const files = new Map<string, string[]>();
  let names: string[] = [];
  for (const line of block.split('\n')) {
    if (worldFileNames.some((name) => line.startsWith(name))) {
      const titles = [...line.matchAll(/\S+/g)];
      names = titles.map((title) => title[0]);
      starts = titles.map((title) => title.index);
      continue;
    }
    names.forEach((name, i) => {
      const cell = line.slice(starts[i], starts[i + 1]).trim();
      if (cell !== '') files.set(name, [...(files.get(name) ?? []), cell]);
    });
  }
  for (const [name, rows] of files) writeFileSync(join(dir, name), `${rows.join('\n')}\n`);
  expect([...files.keys()].sort()).toEqual([...worldFileNames].sort());
  return dir;
}
