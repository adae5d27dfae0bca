/** Every intent about a service is in one state. */

import { expect, test } from 'vitest';
import { checkIntent, type Intent } from '../../../config/intent.ts';
import { countIntents } from '../../../pipeline/server/intent-states.ts';

const freeze = (id: string, more: object = {}): Intent =>
  checkIntent({ kind: 'freeze', id, author: 'ann', reason: 'test', ...more }, 'test');

test('those that were planned with are in force or wait, those that came since are coming, others\u2019 are not counted', () => {
  const all = [freeze('a'), freeze('b'), freeze('c'), freeze('d', { service: 'chat' })];
  const hold = freeze('hold'); // planned with, and nobody's to withdraw
  const waiting = [{ intent: 'b', for: ['a'], sinceMs: 0 }];
  expect(countIntents(all, 'web', [all[0]!, all[1]!, hold], waiting)).toEqual({
    ...{ 'in-force': 1, waiting: 1, coming: 1 },
  });
  expect(countIntents(all, 'chat', [], [])).toEqual({ 'in-force': 0, waiting: 0, coming: 4 });
});
