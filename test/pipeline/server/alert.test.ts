/** Whatever the control plane can raise, the shipped Prometheus rules tell somebody. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { alertReasons, withAlert } from '../../../pipeline/server/alert.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}

const document = parse(readFileSync(new URL('../../../docs/alerts/taiji.rules.yaml', import.meta.url), 'utf8'));
const rules: readonly Rule[] = document.groups.flatMap(({ rules: of }: { rules: Rule[] }) => of);
const operations = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');

test('every reason has one rule, and no rule waits for a reason that is never raised', () => {
  const named = rules.flatMap(({ expr }) => /^taiji_alert_active\{reason="([a-z-]+)"\} == 1$/.exec(expr)?.[1] ?? []);
  expect([...named].sort((a, b) => (a < b ? -1 : 1))).toEqual([...alertReasons].sort((a, b) => (a < b ? -1 : 1)));
});

test('every rule says how urgent it is, what is wrong and what to do', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect(['page', 'ticket'], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(10);
    expect(annotations.description.length, alert).toBeGreaterThan(10);
  }
});

test('the operations guide speaks of every reason', () => {
  for (const reason of alertReasons) expect(operations, reason).toContain(`\`${reason}\``);
});

test('alerts that do not change are the same object, so that nobody is told twice', () => {
  const none = new Map();
  expect(withAlert(none, 'plan-held', null)).toBe(none);
  const one = withAlert(none, 'plan-held', 'because');
  expect([...one]).toEqual([['plan-held', 'because']]);
  expect(withAlert(one, 'plan-held', 'because')).toBe(one);
  expect([...withAlert(one, 'plan-held', null)]).toEqual([]);
});
