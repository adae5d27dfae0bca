/** Arrays that hold the same throughout, made once for whoever needs one as long: what most epochs have none of (sessions,
 *  pins, forced load) need not be made anew, nor collected. Changed by nobody. */

const known = new Map<number, Float64Array>();

export function everywhere(value: number, length: number): Float64Array {
  const before = known.get(value);
  if (before?.length === length) return before;
  const made = new Float64Array(length).fill(value);
  known.set(value, made);
  return made;
}
