/** Both solvers in their workers, each solve timed; a worker that runs away or dies is replaced. */

import type { BucketTree } from '../../../bucketizer/tree.ts';
import { openSolver, type SolverHost } from '../../../runtime/io/solver-host.ts';
import type { EngineName, Solver } from '../../../runtime/lp/problem.ts';
import type { EpochContext } from '../../epoch/inputs.ts';
import type { BucketWeights } from '../../table/bucket-weights.ts';
import { type Comparison, watchEachOther } from '../solver-watch.ts';
import type { Engines } from './loop-driver.ts';

export interface OpenEngines extends Engines {
  close(): Promise<void>;
}

export interface EnginesWatch {
  readonly onSolved: (seconds: number) => void;
  readonly onCompared: (comparison: Comparison) => void;
  readonly onEnded: (message: string) => void; // a worker ended before its time
  readonly entry?: string; // the workers' file; another one in tests
}

/** The second engine is asked where the first one's answer does not hold, and now and then where somebody watches;
 *  without its package there is none. */
export async function openEngines(
  first: EngineName,
  tree: BucketTree,
  weights: BucketWeights,
  watch: EnginesWatch | null = null,
): Promise<OpenEngines> {
  let hosts = await open();
  let solvers = solversOf(hosts);
  return {
    get context() {
      return { tree, weights, ...solvers };
    },
    renew: async () => {
      const old = hosts;
      hosts = await open();
      solvers = solversOf(hosts);
      await closeAll(old);
    },
    close: () => closeAll(hosts),
  };

  async function open(): Promise<readonly SolverHost[]> {
    const limits = watch ? { onEnded: watch.onEnded, ...(watch.entry && { entry: watch.entry }) } : {};
    const second = await openSolver(first === 'highs' ? 'glpk' : 'highs', limits).catch((): SolverHost | null => null);
    const host = await openSolver(first, limits);
    return second ? [host, second] : [host];
  }

  function solversOf([one, two]: readonly SolverHost[]): Pick<EpochContext, 'solver' | 'secondSolver'> {
    const solver = timed(one!, watch);
    if (!two) return { solver };
    const secondSolver = timed(two, watch);
    return watch ? watchEachOther(solver, secondSolver, watch.onCompared) : { solver, secondSolver };
  }
}

function timed(host: SolverHost, watch: EnginesWatch | null): Solver {
  return {
    name: host.name,
    solve: async (program, prices) => {
      const startedMs = performance.now();
      const answer = await host.solve(program, prices);
      watch?.onSolved((performance.now() - startedMs) / 1000);
      return answer;
    },
  };
}

async function closeAll(hosts: readonly SolverHost[]): Promise<void> {
  for (const host of hosts) await host.close();
}
