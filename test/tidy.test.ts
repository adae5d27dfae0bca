/** The project's own rules about itself, run over every file of the checkout (CONTRIBUTING has them in words). Each
 *  rule is also shown sources that break it and sources that only look as if they did: one that sees nothing fails. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { effectRules } from './tidy/effects.ts';
import { importRules } from './tidy/imports.ts';
import { describeFindings, type Example, importsOf, readRepository, repositoryOf } from './tidy/repository.ts';
import { textRules } from './tidy/text.ts';

const repository = readRepository(fileURLToPath(new URL('..', import.meta.url)));
const rules = [...importRules, ...effectRules, ...textRules];

test('the whole project is read, sources with their imports among it', () => {
  expect(repository.length).toBeGreaterThan(20);
  const policy = repository.find(({ path }) => path === 'config/policy.ts');
  expect(policy && importsOf(policy).map(({ specifier }) => specifier)).toContain('./duration.ts');
});

for (const rule of rules) {
  describe(rule.name, () => {
    test('in this project', () => {
      expect(describeFindings(rule.check(repository))).toEqual([]);
    });

    for (const example of rule.caught) {
      test(`not in ${shown(example)}`, () => {
        const findings = describeFindings(rule.check(repositoryOf(example)));
        expect(findings).not.toEqual([]);
        for (const line of findings) expect(line).toMatch(/^[\w./-]+:\d+: .+; .+$/);
      });
    }

    for (const example of rule.allowed) {
      test(`in ${shown(example)}`, () => {
        expect(describeFindings(rule.check(repositoryOf(example)))).toEqual([]);
      });
    }
  });
}

test('a finding names the file, the line, what was found and what to do', () => {
  const findings = effectRules[0]!.check(repositoryOf({ 'runtime/a.ts': '/** A. */\n\nconst t = Date.now();' }));
  expect(describeFindings(findings)).toEqual([
    'runtime/a.ts:3: reads the clock through Date.now; pass it in as an argument (nowMs, random, ...) from an io/ or cli file',
  ]);
});

function shown(example: Example): string {
  return JSON.stringify(example).slice(0, 160);
}
