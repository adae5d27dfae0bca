/** Whether the line of a user lists what earlier lines listed with that user, told by one sum a user in place of a second
 *  list of all ties: whatever the others list is added, whatever the line lists is taken away, in any order, and where both
 *  are alike nothing is left. Sums have 52 bits: of lines that are not alike one in 2^52, 4.5 million billions, is taken for
 *  alike. (Nobody gains by making one such: whoever writes the file says what is in it.) */

import { mix32 } from '../../config/random.ts';

const modulus = 4_503_599_627_370_496; // 2^52: two sums come to less than 2^53, so that adding is exact

export class ListingSums {
  private readonly sums: number[] = []; // [user] below the modulus; none: 0
  private readonly weight = new Float64Array(1);
  private readonly words = new Uint32Array(this.weight.buffer);

  /** What an earlier line lists with `user`: its own user, as the `friend`, and what the tie weighs. */
  add(user: number, friend: number, weight: number): void {
    this.put(user, this.termOf(friend, weight));
  }

  /** What the line of `user` lists of that. */
  takeAway(user: number, friend: number, weight: number): void {
    this.put(user, modulus - this.termOf(friend, weight));
  }

  isNothing(user: number): boolean {
    return (this.sums[user] ?? 0) === 0;
  }

  private put(user: number, term: number): void {
    const sum = (this.sums[user] ?? 0) + term;
    this.sums[user] = sum < modulus ? sum : sum - modulus;
  }

  /** Of all bits of both: fractions, which sums of weights would round, are told as exactly as integers. */
  private termOf(friend: number, weight: number): number {
    this.weight[0] = weight;
    const [first, second] = [this.words[0]!, this.words[1]!];
    const low = mix32(friend ^ mix32(first ^ mix32(second)));
    const high = mix32(friend ^ mix32(second ^ mix32(~first)));
    return (high >>> 12) * 4_294_967_296 + low;
  }
}
