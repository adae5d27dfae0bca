/** How far users are between two bucket trees, as Prometheus asks. */

import { Gauge, type Registry } from 'prom-client';
import type { TreeProgress } from '../service-trees.ts';

export interface TreeMoving {
  readonly service: string;
  readonly treeProgress: () => TreeProgress | null; // null: no move is under way
}

/** `prefix`: of the names. */
export function registerTreeMoves(services: readonly TreeMoving[], prefix: string, registers: Registry[]): void {
  new Gauge({
    name: `${prefix}_tree_moving`,
    help: '1 while users pass from one bucket tree to another',
    labelNames: ['service'],
    registers,
    collect() {
      for (const { service, treeProgress } of services) this.set({ service }, treeProgress() ? 1 : 0);
    },
  });
  new Gauge({
    name: `${prefix}_tree_moved_ratio`,
    help: 'Share of the users whose bucket changes who are on the newer tree; no series where no move is under way',
    labelNames: ['service'],
    registers,
    collect() {
      this.reset();
      for (const { service, treeProgress } of services) {
        const progress = treeProgress();
        if (progress) this.set({ service }, progress.of > 0 ? progress.moved / progress.of : 1);
      }
    },
  });
}
