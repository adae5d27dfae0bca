import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { seededRandom } from '../../../config/random.ts';
import { openSolver } from '../../../runtime/io/solver-host.ts';
import { ProgramBuilder } from '../../../runtime/lp/builder.ts';
import { certifiedBy } from '../../../runtime/lp/certified.ts';
import { certify } from '../../../runtime/lp/certify.ts';
import type { LinearProgram } from '../../../runtime/lp/problem.ts';
import { engineHere, installedEngines } from '../../scene.ts';

/** Shipments from sources to sinks that are almost full. */
function shipments(sources: number, sinks: number): LinearProgram {
  const random = seededRandom(1);
  const lp = new ProgramBuilder();
  const full = Array.from({ length: sinks }, () => lp.row(Number.NEGATIVE_INFINITY, (1.02 * sources) / sinks));
  for (let s = 0; s < sources; s++) {
    const whole = lp.row(1, 1);
    for (const row of full) {
      lp.column(1 + random(), 0, 1, whole);
      lp.put(row, 1);
    }
  }
  return lp.build();
}

const engines = await installedEngines();
const small = shipments(5, 3);

describe('a solver in a worker', () => {
  test.each(engines)('%s answers one after the other as it does in this thread', async (name) => {
    const host = await openSolver(name);
    const here = await engineHere(name);
    const programs = [small, shipments(30, 4), small];
    const answers = await Promise.all(programs.map((program) => host.solve(program)));
    for (const [i, program] of programs.entries()) expect(answers[i]).toEqual(await here.solve(program));
    await host.close();
    expect((await host.solve(small)).status).toBe('failed');
  });

  test('leaves turns to others while a large program is solved in this thread', async () => {
    const turnsWhile = async (turnMs: number) => {
      const host = await openSolver('highs', { turnMs });
      let [turns, solved] = [0, false];
      const others = () => {
        turns += 1;
        if (!solved) setImmediate(others);
      };
      const answer = host.solve(shipments(2000, 20));
      setImmediate(others);
      expect((await answer).status).toBe('optimal');
      solved = true;
      await host.close();
      return turns;
    };
    const never = await turnsWhile(Number.POSITIVE_INFINITY);
    expect(await turnsWhile(0)).toBeGreaterThan(never + 10); // a turn before every step
  });

  test.skipIf(engines.length < 2)(
    'that takes too long over a real program is replaced, and the second engine answers',
    async () => {
      const ended: string[] = [];
      const host = await openSolver('glpk', { solveMsMax: 5, onEnded: (message) => ended.push(message) });
      const large = shipments(600, 20);
      expect(await certifiedBy([host, await engineHere('highs')], () => {})(large)).not.toBeNull();
      expect(ended).toEqual(['glpk: no answer within 5 ms']);
      await host.close();
    },
  );
});

describe('a worker that', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'taiji-solver-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  /** Does `deed` over programs of one column and answers all others with zeros. */
  async function openBad(deed: string, growthMbMax: number, solveMsMax: number) {
    const entry = join(scratch, `${deed.length}.mjs`);
    writeFileSync(
      entry,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', ({ program }) => {
         if (program.cost.length === 1) { ${deed} }
         const rowDuals = new Float64Array(program.rowLower.length);
         parentPort.postMessage({ answer: { status: 'optimal', columns: program.cost.map(() => 0), rowDuals } });
       });
       parentPort.postMessage({ ready: true });`,
    );
    const ended: string[] = [];
    const onEnded = (message: string): void => {
      ended.push(message);
    };
    const host = await openSolver('highs', { entry, solveMsMax, growthMbMax, onEnded });
    return { host, ended };
  }

  const lp = new ProgramBuilder();
  lp.column(1, 0, 1);
  const bad = lp.build();
  const loop = 'for (;;);';
  const grow =
    'const m = new WebAssembly.Memory({ initial: 1 }); for (;;) { m.grow(64); new Uint8Array(m.buffer).fill(1); }';

  test.each([
    ['never answers', loop, /no answer within 1500 ms/],
    ['takes ever more memory of WebAssembly', grow, /took more than 200 MB/],
    ['throws', 'setTimeout(() => { throw new Error("lost") }); return;', /its worker failed \(lost\)/],
    ['ends', 'process.exit(7);', /its worker ended with status 7/],
  ])('%s has failed and is replaced; who waits behind it is answered', async (_, deed, why) => {
    const { host, ended } = await openBad(deed, deed === grow ? 200 : 1000, deed === loop ? 1500 : 20_000);
    const [first, second] = await Promise.all([host.solve(bad), host.solve(small)]);
    expect(first.status).toBe('failed');
    expect(second.status).toBe('optimal');
    expect(certify(small, second).kind).toBe('refuted'); // zeros serve nobody: nothing is believed unseen
    expect(ended).toEqual([expect.stringMatching(why)]);
    await host.close();
  });
});
