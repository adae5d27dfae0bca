/** The real week with fifty intents at random, every table counted bucket by bucket. */

import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { contextOf, realWeek } from '../bench/real-week.ts';
import { overloadsIn, randomIntents } from '../simulation/overloads.ts';

const data = process.env['TAIJI_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data');
const world = realWeek(data);
if (!world) process.stderr.write(`${join(data, 'world')} is not there: the real week with intents is skipped\n`);

test.skipIf(!world)(
  'in no epoch of the week does a table lift a datacenter over its limit while another could take the load',
  async () => {
    const { timesMs } = world!.demand;
    const span = { fromMs: timesMs[0]!, toMs: timesMs.at(-1)! + 1 };
    const found = await overloadsIn(world!, await contextOf(world!), randomIntents(world!, 50, 1), span);
    expect(found.lifted).toEqual([]);
    expect(found.epochs).toBe(2016);
    expect(found.waits).toBeGreaterThan(100);
    process.stderr.write(
      `${found.tables} tables, highest utilization ${found.highest.toFixed(3)}, ${found.waits} waits\n`,
    );
  },
  1_800_000,
);
