/** Users and their weights from CSV with a header; columns other than `user` and `weight` are not looked at: no
 *  attribute of a person is an input of the tree. */

import { csvNumber, csvTable } from '../../config/csv.ts';
import { ConfigError } from '../../config/errors.ts';
import { nameOf } from './byte-source.ts';
import { eachLine } from './text-stream.ts';

export interface WeightedUsers {
  readonly users: readonly string[]; // unique, in file order
  readonly weights: Float64Array; // [user] finite, >= 0
}

const limitsOfMemory = {
  users: 1 << 24, // a Map has room for no more
  letters: 500_000_000, // all of them are one string on the way, which ends soon after
};

/** Plain or gzip. Throws a ConfigError naming file and line at the first thing wrong. */
export async function readUsers(path: string, limits = limitsOfMemory): Promise<WeightedUsers> {
  const name = nameOf(path);
  const lines: string[] = [];
  let letters = 0;
  await eachLine(path, (line) => {
    letters += line.length + 1;
    lines.push(line);
    if (lines.length - 1 <= limits.users && letters <= limits.letters) return; // the first line is the header
    throw new ConfigError(
      `${name}:${lines.length}: expected at most ${limits.users} lines of users and ${limits.letters} letters; list those alone who do not weigh the mean`,
    );
  });
  const table = csvTable(lines.join('\n'), name, { required: ['user', 'weight'], others: 'any' });
  const [userColumn, weightColumn] = table.columns as readonly [number, number];
  const lineOf = new Map<string, number>();
  const weights: number[] = [];
  for (const { line, fields } of table.rows) {
    const user = fields[userColumn]!;
    if (user === '') throw new ConfigError(`${name}:${line}: user is empty, expected an id`);
    if (lineOf.has(user)) {
      throw new ConfigError(
        `${name}:${line}: user ${JSON.stringify(user)} is listed already on line ${lineOf.get(user)}; keep one`,
      );
    }
    lineOf.set(user, line);
    const at = { where: name, line, column: 'weight' };
    weights.push(csvNumber(fields[weightColumn]!, at, { min: 0, max: Number.MAX_VALUE, unit: '' }));
  }
  if (weights.length === 0) throw new ConfigError(`${name}: no users under the header; expected lines such as u1,1`);
  return { users: [...lineOf.keys()], weights: Float64Array.from(weights) };
}
