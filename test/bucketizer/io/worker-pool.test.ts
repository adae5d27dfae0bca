import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startWorkers } from '../../../bucketizer/io/worker-pool.ts';
import { entriesLarge } from '../../../bucketizer/multilevel/memory.ts';
import type { BisectionPlan } from '../../../bucketizer/recursive-bisection.ts';
import { communityTies, randomGraph } from '../sample-graphs.ts';
import { scratchFolder } from './scratch.ts';

const built = new URL('../../../dist/bucketizer/io/bisect-worker.js', import.meta.url);
const root = { level: 0, index: 0 };

test('one thread that fails fails all that is asked for, once, whatever others still find', async (context) => {
  if (!existsSync(built)) context.skip('workers need the built program: npm run build');
  const plan: BisectionPlan = {
    height: 5,
    leafShare: 100,
    seed: 1,
    objective: 'cut',
    carefulLevels: 2,
    effort: {
      coarsestNodes: 25,
      shrinkPerRound: 6,
      tries: 4,
      passes: 2,
      labelRounds: 1,
      byDensity: true,
      startTies: 60_000,
      startsMax: 6,
      settles: true,
      cycles: 0,
    },
  };
  const pool = startWorkers(2, entriesLarge);
  try {
    const asked = [
      pool.bisect(randomGraph(300, 1), root, null as unknown as BisectionPlan), // a defect
      pool.bisectRecursively(randomGraph(30_000, 2), root, plan), // meanwhile, and far longer than a thread takes to start
      pool.bisect(randomGraph(300, 3), root, plan), // waits
    ];
    for (const result of await Promise.allSettled(asked)) expect(result.status).toBe('rejected');
    await after(2000); // the second one finds what nobody waits for any more
    await expect(pool.bisect(randomGraph(300, 4), root, plan)).rejects.toThrow(/null/);
  } finally {
    await pool.close();
  }
});

test('a thread that ends before its work is done ends the build, and says so', (context) => {
  if (!existsSync(built)) context.skip('workers need the built program: npm run build');
  const { dir, write } = scratchFolder();
  const ends = 'import{isMainThread}from"node:worker_threads";if(!isMainThread)process.exit(7)';
  const ties = communityTies(40_000, 8, 1); // enough for a thread
  const lines = Array.from({ length: ties.length / 2 }, (_, i) => `${ties[2 * i]} ${ties[2 * i + 1]}\n`);
  const program = fileURLToPath(new URL('../../pipeline/cli/main.js', built));
  const { status, stderr } = spawnSync(
    process.execPath,
    [program, 'bucketize', write('ties', lines.join('')), '--out', join(dir, 'tree'), '--workers', '2'],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ends)}` },
    },
  );
  expect(status).toBe(1);
  expect(stderr).toContain('a thread ended before its work was done (exit 7)');
  expect(existsSync(join(dir, 'tree'))).toBe(false);
});
