/** Both solvers in their workers, each solve timed, and replaced where they fail. */

import type { BucketTree } from '../../../bucketizer/tree.ts';
import { openSolver, type SolverHost } from '../../../runtime/io/solver-host.ts';
import type { EngineName, Solver } from '../../../runtime/lp/problem.ts';
import type { BucketWeights } from '../../table/bucket-weights.ts';
import type { Engines } from './loop-driver.ts';

export interface OpenEngines extends Engines {
  close(): Promise<void>;
}

/** The second engine is asked where the first one's answer does not hold; without its package there is none. */
export async function openEngines(
  first: EngineName,
  tree: BucketTree,
  weights: BucketWeights,
  onSolved: (seconds: number) => void,
): Promise<OpenEngines> {
  let hosts = await open();
  return {
    get context() {
      const [solver, secondSolver] = hosts.map((host) => timed(host, onSolved));
      return { tree, weights, solver: solver!, ...(secondSolver && { secondSolver }) };
    },
    renew: async () => {
      const old = hosts;
      hosts = await open();
      await closeAll(old);
    },
    close: () => closeAll(hosts),
  };

  async function open(): Promise<readonly SolverHost[]> {
    const second = await openSolver(first === 'highs' ? 'glpk' : 'highs').catch((): SolverHost | null => null);
    const host = await openSolver(first);
    return second ? [host, second] : [host];
  }
}

function timed(host: SolverHost, onSolved: (seconds: number) => void): Solver {
  return {
    name: host.name,
    solve: async (program, prices) => {
      const startedMs = performance.now();
      const answer = await host.solve(program, prices);
      onSolved((performance.now() - startedMs) / 1000);
      return answer;
    },
  };
}

async function closeAll(hosts: readonly SolverHost[]): Promise<void> {
  for (const host of hosts) await host.close();
}
