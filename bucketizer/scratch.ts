/** Working memory that outlives one search. A tree takes thousands of searches on ever smaller parts; arrays made anew for
 *  each cost more than some of the searches themselves. */

import type { TieWeights } from './graph.ts';

/** Arrays by name, grown when too short. What they hold is whatever was left in them; they may be longer than asked for. */
export class Scratch {
  private readonly ints32 = new Map<string, Int32Array>();
  private readonly doubles64 = new Map<string, Float64Array>();

  ints(name: string, length: number): Int32Array {
    const held = this.ints32.get(name);
    if (held !== undefined && held.length >= length) return held;
    const made = new Int32Array(length);
    this.ints32.set(name, made);
    return made;
  }

  doubles(name: string, length: number): Float64Array {
    const held = this.doubles64.get(name);
    if (held !== undefined && held.length >= length) return held;
    const made = new Float64Array(length);
    this.doubles64.set(name, made);
    return made;
  }

  /** Of the kind of `like`: sums of its values fit. */
  sums(name: string, length: number, like: TieWeights): TieWeights {
    return like instanceof Float64Array ? this.doubles(name, length) : this.ints(name, length);
  }
}
