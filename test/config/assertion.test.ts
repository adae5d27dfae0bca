import { expect, test } from 'vitest';
import { assertableFigures, parseAssertion } from '../../config/assertion.ts';
import { parsePolicy } from '../../config/policy.ts';
import { complaintOf } from './small-world.ts';

test.each([
  ['utilizationMax < 0.85', 'utilizationMax', false, '<', 0.85],
  ['rttMsP95 rise<=5', 'rttMsP95', true, '<=', 5],
  ['  datacentersInUse  >=3 ', 'datacentersInUse', false, '>=', 3],
  ['heldEpochs==0', 'heldEpochs', false, '==', 0],
  ['connectionLocality rise > -1e-3', 'connectionLocality', true, '>', -0.001],
])('"%s" is understood', (text, figure, rise, comparison, bound) => {
  expect(parseAssertion(text)).toMatchObject({ kind: 'assertion', assertion: { figure, rise, comparison, bound } });
});

test('every figure can be asserted', () => {
  for (const figure of assertableFigures) expect(parseAssertion(`${figure} < 1`).kind).toBe('assertion');
});

test.each([
  [
    'utilisationMax < 0.85',
    'unknown figure "utilisationMax" (did you mean "utilizationMax"?); expected utilizationMax,',
  ],
  ['utilizationMax < 85%', '"85%" is no number; write 0.85 for 85%'],
  ['utilizationMax =< 1', '"=<" compares nothing; expected <, <=, >, >=, =='],
  ['rttMsP95 rises < 5', '"rises" after the figure (did you mean "rise"?); expected rise or nothing'],
  ['utilizationMax < NaN', '"NaN" is no number'],
  ['utilizationMax < 1e999', '"1e999" is no number'],
  ['utilizationMax', 'expected FIGURE [rise] < NUMBER'],
  ['', 'expected FIGURE [rise] < NUMBER'],
  ['a < 1 < 2', 'expected FIGURE [rise] < NUMBER'],
])('"%s" is refused with what is expected', (text, message) => {
  const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service: 'web' }, spec: { assert: [text] } };
  const complaint = complaintOf(() => parsePolicy(JSON.stringify(policy), 'p.json'));
  expect(complaint).toContain('p.json:1: policy "web": spec.assert[0]: ');
  expect(complaint).toContain(message);
  expect(complaint).not.toContain('\n');
});
