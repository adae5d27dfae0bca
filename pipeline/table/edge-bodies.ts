import { createHash } from 'node:crypto';
import type { Topology } from '../../config/topology.ts';
import { encodeAssignment } from './assignment-code.ts';
import type { RoutingTable } from './routing-table.ts';
export class EdgeBodies {
  readonly #known: { assignment: Uint8Array; sha256: string }[] = [];
  constructor(_topology: Topology) {}
  sha256Of(table: RoutingTable, e: number): string {
    const assignment = table.byEdge[e]!;
    const known = this.#known[e];
    if (known?.assignment === assignment) return known.sha256;
    const sha256 = createHash('sha256').update(encodeAssignment(assignment, table.targets.length)).digest('hex');
    this.#known[e] = { assignment, sha256 };
    return sha256;
  }
}
