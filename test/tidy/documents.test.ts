/** What the README shows must be what the program does: its YAML is accepted, its defaults are the defaults, the verbs
 *  it names are there. */

import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseDocument } from '../../config/document.ts';
import { parsePolicy } from '../../config/policy.ts';

const root = new URL('../../', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');
const yamlBlocks = codeBlocks('yaml');

test('every YAML document in the README is accepted', () => {
  expect(yamlBlocks.length).toBeGreaterThanOrEqual(2);
  for (const block of yamlBlocks) expect(parseDocument(block, 'README.md').kind).toMatch(/policy|server|intent/);
});

test("the README's policy is the policy of somebody who states nothing", () => {
  const block = yamlBlocks.find((text) => text.includes('kind: Policy'))!;
  const bare = 'apiVersion: taiji/v1\nkind: Policy\nmetadata: { service: web }\n';
  expect(parsePolicy(block, 'README.md')).toEqual(parsePolicy(bare, 'bare'));
});

test('every verb in the README is a file of the command line', () => {
  const verbs = [...readme.matchAll(/(?:`|^\$ (?:npx )?|^npx )taiji ([a-z]+)/gm)].map(([, verb]) => verb!);
  expect(verbs).toContain('serve');
  for (const verb of new Set(verbs)) {
    expect(existsSync(fileURLToPath(new URL(`pipeline/cli/${verb}.ts`, root))), `taiji ${verb}`).toBe(true);
  }
});

test('every npm script in the documents is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: object };
  const texts = [readme, readFileSync(new URL('CONTRIBUTING.md', root), 'utf8')];
  const named = texts.flatMap((text) => [...text.matchAll(/npm run ([a-z:-]+)/g)].map(([, script]) => script!));
  expect(named).toContain('demo');
  for (const script of new Set(named)) expect(Object.keys(scripts)).toContain(script);
});

function codeBlocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text]) => text!);
}
