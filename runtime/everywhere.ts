/** Arrays that hold the same throughout, made once for whoever needs one as long: what most epochs have none of (sessions,
 *  pins, forced load) need not be made anew, nor collected. Changed by nobody. */

/** By value, then by length: models of all edges and of their sums ask in turn. */
const known = new Map<number, Map<number, Float64Array>>();

/** Of more lengths of one value, few are asked for again. */
const lengthsMax = 16;

export function everywhere(value: number, length: number): Float64Array {
  const before = known.get(value)?.get(length);
  if (before) return before;
  const made = new Float64Array(length).fill(value);
  const lengths = known.get(value) ?? new Map<number, Float64Array>();
  if (lengths.size >= lengthsMax) lengths.clear();
  known.set(value, lengths.set(length, made));
  return made;
}

let unmarked = new Uint8Array(0);

/** No pair is marked. */
export function nowhere(length: number): Uint8Array {
  if (unmarked.length !== length) unmarked = new Uint8Array(length);
  return unmarked;
}
