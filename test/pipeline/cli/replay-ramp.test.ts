/** A fleet on its way aboard, replayed from the table it has today. */

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Files, filesOf, jsonOf, plan, replay } from './dry-runs.ts';

/** Replays from a table of its own objective, with this ramp or none. */
async function startedFrom(): Promise<{
  readonly ramped: (ramp: unknown) => Files;
  readonly replayed: (files: Files, ...args: string[]) => ReturnType<typeof jsonOf>;
}> {
  const nearest = filesOf(undefined, { objective: 'closest-first' });
  const today = join(nearest.world, '..', 'today.json');
  await plan(nearest, '--out', today);
  return {
    ramped: (ramp) => ({ ...filesOf(undefined, { ramp }), tree: nearest.tree }),
    replayed: (files, ...args) => jsonOf(replay(files, '-o', 'json', '--previous', today, ...args)),
  };
}

test('a ramp without a table to keep to is refused in one line', async () => {
  const files = filesOf(undefined, { ramp: { share: 0.5 } });
  await expect(replay(files)).rejects.toThrow(/^policy "web" has a ramp, and .* with --previous, or/);
});

test('of nobody aboard the table of today is served to the end; of all aboard it is the replay without a ramp', async () => {
  const { ramped, replayed } = await startedFrom();
  const still = await replayed(ramped({ share: 0 }));
  expect(still.outcomes).toEqual({ unchanged: 3 });
  expect(still.churn).toMatchObject({ forced: 0, elective: 0 });

  const without = await replayed(ramped(null));
  expect(without.outcomes.initial).toBeUndefined();
  expect(without.churn.electiveMax).toBeGreaterThan(0);
  expect(without.churn.electiveMax).toBeLessThanOrEqual(0.05);
  expect((await replayed(ramped({ share: 1 }))).tablesSha256).toBe(without.tablesSha256);
});

test('a policy to compare with is held to the same table, and edits may change how much is aboard', async () => {
  const { ramped, replayed } = await startedFrom();
  const none = ramped({ share: 0 });
  const half = await replayed(none, '--against', none.policy, '--what-if', 'policy.ramp.share=0.5');
  expect(half.against.summary.outcomes).toEqual({ unchanged: 3 });
  expect(half.churn.elective).toBeGreaterThan(0);
});
