import { expect, test } from 'vitest';
import { atOnce, type Steps } from '../../../../config/steps.ts';
import { inTurns } from '../../../../pipeline/server/io/in-turns.ts';

/** Steps that each take longer than others are to wait. */
function* long(told: string[]): Steps<string> {
  for (const step of ['first', 'second']) {
    const untilMs = performance.now() + 30;
    while (performance.now() < untilMs);
    told.push(step);
    yield;
  }
  return 'done';
}

test('whoever waits has a turn between two long steps, and none where nobody is to wait', async () => {
  const told: string[] = [];
  setImmediate(() => told.push('other'));
  expect(await inTurns(long(told))).toBe('done');
  expect(told).toEqual(['first', 'other', 'second']);
  expect(atOnce(long(told))).toBe('done');
});
