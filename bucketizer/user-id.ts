/** What frontends in plain JavaScript hand in as an id: databases give numbers, sessions give nothing. Ids in a tree are text,
 *  and to turn whatever comes into text would look up `undefined`, and `[object Object]`, as if they were users. */

/** `what`: whose id. Throws a TypeError, for it is the caller's program that is to be mended. */
export function checkId(id: unknown, what: string): asserts id is string {
  if (typeof id !== 'string') throw notText(id, what, 'an id as a string, such as String(id)');
}

/** A string is a list of letters, too. */
export function checkFriends(friends: unknown, what: string): asserts friends is Iterable<unknown> {
  const isList = typeof friends === 'object' && friends !== null && Symbol.iterator in friends;
  if (!isList) throw notText(friends, what, 'a list of ids as strings, such as ids.map(String)');
}

function notText(given: unknown, what: string, expected: string): TypeError {
  const value = typeof given === 'object' && given !== null ? 'an object' : String(given);
  const shown = typeof given === 'string' ? JSON.stringify(given) : value;
  const kind = given === null || given === undefined || value === 'an object' ? '' : ` (a ${typeof given})`;
  return new TypeError(`${what} is ${shown}${kind}, expected ${expected}`);
}
