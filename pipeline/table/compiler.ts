/** Bodies from one epoch to the next. Fallbacks change with the datacenters' states only, and an epoch changes few edges:
 *  both are kept until they do. */

import type { Topology } from '../../config/topology.ts';
import type { Ceilings } from './ceilings.ts';
import { type CompiledTable, compileTable, type EdgeFallback, makeFallbacks } from './compile.ts';
import type { RoutingTable } from './routing-table.ts';

export class TableCompiler {
  readonly #topology: Topology;
  #free = ''; // where `#fallbacks` may send users, and for which tree height
  #fallbacks: readonly EdgeFallback[] = [];
  #last: CompiledTable | null = null;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  /** The same table and ceilings give the same bodies, whatever was compiled before. */
  compile(table: RoutingTable, ceilings: Ceilings): CompiledTable {
    const free = `${table.height} ${Array.from(ceilings, (ceiling) => (ceiling === 1 ? 1 : 0)).join('')}`;
    if (free !== this.#free) {
      this.#free = free;
      this.#fallbacks = makeFallbacks(this.#topology, table.height, ceilings);
    }
    this.#last = compileTable(table, this.#fallbacks, this.#last);
    return this.#last;
  }
}
