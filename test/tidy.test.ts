/** The project's own rules about itself, run over every file of the checkout (CONTRIBUTING has them in words). Each
 *  rule is also shown sources that break it and sources that only look as if they did: one that sees nothing fails. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { effectRules } from './tidy/effects.ts';
import { importRules } from './tidy/imports.ts';
import { describeFindings, importsOf, readRepository, repositoryOf } from './tidy/repository.ts';
import { textRules } from './tidy/text.ts';

const repository = readRepository(fileURLToPath(new URL('..', import.meta.url)));
const rules = [...importRules, ...effectRules, ...textRules];

test('the whole project is read, sources with their imports among it', () => {
  expect(repository.length).toBeGreaterThan(20);
  const policy = repository.find(({ path }) => path === 'config/policy.ts');
  expect(policy && importsOf(policy).map(({ specifier }) => specifier)).toContain('./duration.ts');
});

describe.each(rules)('$name', (rule) => {
  test('holds in this project', () => {
    expect(describeFindings(rule.check(repository))).toEqual([]);
  });

  test.each(
    rule.caught.map((example) => ({ example, shown: JSON.stringify(example).slice(0, 120) })),
  )('is broken by $shown', ({ example }) => {
    const findings = rule.check(repositoryOf(example));
    expect(findings).not.toEqual([]);
    for (const line of describeFindings(findings)) expect(line).toMatch(/^[\w./-]+:\d+: .+; .+$/);
  });

  test.each(
    rule.allowed.map((example) => ({ example, shown: JSON.stringify(example).slice(0, 120) })),
  )('is not broken by $shown', ({ example }) => {
    expect(describeFindings(rule.check(repositoryOf(example)))).toEqual([]);
  });
});

test('a finding names the file, the line, what was found and what to do', () => {
  const findings = effectRules[0]!.check(repositoryOf({ 'runtime/a.ts': '/** A. */\n\nconst t = Date.now();' }));
  expect(describeFindings(findings)).toEqual([
    'runtime/a.ts:3: reads the clock through Date.now; pass it in as an argument (nowMs, random, ...) from an io/ or cli file',
  ]);
});
