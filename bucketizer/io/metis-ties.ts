/** Ties from a METIS graph: a header `users ties [format [weights]]`, then a line a user with its friends, counted from 1,
 *  each tie on both users' lines with the same weight; `%` comments. The format's digits say whether there are sizes (not
 *  looked at), weights of users (the first is taken) and weights of ties. A tie is taken from the first of its lines that is
 *  no bad one. METIS forbids ties of a user to itself; they are counted and left out as in other formats are, and in the
 *  header each time one is listed may count as a tie (as in lists of ties) or as half of one (as all that is listed does). */

import { ConfigError, countOf } from '../../config/errors.ts';
import { TieList } from '../tie-list.ts';
import type { ByteSource } from './byte-source.ts';
import { ListingSums } from './listing-sums.ts';
import { eachLineOf } from './text-stream.ts';
import { shorten, type TieCollector } from './tie-collector.ts';

const lineBytesMax = 1 << 28; // thirty million friends of one user; a string ends at twice as much

interface Header {
  readonly users: number;
  readonly ties: number;
  readonly sizes: boolean;
  readonly userWeights: number; // columns
  readonly tieWeights: boolean;
}

/** Returns the users' weights, where the file has them. */
export async function readMetisTies(
  source: ByteSource,
  into: TieCollector,
  onRead: (bytes: number, of: number) => void,
): Promise<number[] | undefined> {
  let header: Header | null = null;
  let user = 0;
  let listed = 0; // ties of two users, on the first of their lines
  let selfListed = 0;
  const unread = new Set<number>(); // users whose lines are bad
  const sums = new ListingSums(); // by index of the user
  // the ties of lines that are not like those before them: a pipe cannot be read again to tell what is wrong with them
  const unlike = { users: new Set<number>(), ties: new TieList() };
  const weights: number[] = []; // [index of the user]
  await eachLineOf(
    source,
    (line, number, wrong) => {
      if (line.startsWith('%')) return;
      if (header === null) {
        if (wrong !== null) throw new ConfigError(`${source.name}:${number}: ${wrong}`);
        header = headerOf(line, source.name, number);
        return;
      }
      if (user === header.users) {
        if (line.trim() !== '') into.bad(number, `a line beyond the ${countOf(header.users, 'user')} of the header`);
        return;
      }
      user++;
      const row = wrong ?? rowOf(line, header);
      const index = into.index(user);
      weights[index] = typeof row === 'string' ? 1 : row.weight; // a friend may have been seen before its own line
      if (typeof row === 'string') {
        into.bad(number, row);
        unread.add(user);
        return;
      }
      const { friends, tieWeights } = row;
      const isAgain = (friend: number): boolean => friend < user && !unread.has(friend);
      for (let i = 0; i < friends.length; i++) {
        const friend = friends[i]!;
        const weight = tieWeights[i]!;
        if (isAgain(friend)) {
          sums.takeAway(index, friend, weight);
          continue;
        }
        const friendIndex = into.index(friend);
        into.push(index, friendIndex, weight);
        if (friend > user) sums.add(friendIndex, user, weight);
        if (friend === user) selfListed++;
        else listed++;
      }
      if (sums.isNothing(index)) return;
      unlike.users.add(index);
      for (let i = 0; i < friends.length; i++) {
        if (isAgain(friends[i]!)) unlike.ties.push(into.index(friends[i]!), index, tieWeights[i]!);
      }
    },
    onRead,
    lineBytesMax,
  );
  if (header === null) throw new ConfigError(`${source.name}: the graph is empty, no header; expected "users ties"`);
  const { users, ties, userWeights } = header as Header;
  if (user < users) {
    throw new ConfigError(`${source.name}: ends after ${user} of ${countOf(users, 'user')}; it was cut, copy it again`);
  }
  if (unlike.users.size > 0) checkMutual(into, unlike.ties, unlike.users);
  if (into.badLines === 0 && listed + selfListed !== ties && listed + selfListed / 2 !== ties) {
    throw new ConfigError(
      `${source.name}: ${listed + selfListed} ties are listed, expected ${ties} as the header has it; mend it, or copy the file again`,
    );
  }
  return userWeights > 0 ? weights : undefined;
}

/** Throws a ConfigError where a tie of `again`, or one to `users` that is not in it, is not on both users' lines alike.
 *  A tie may be listed several times: as once, with all their weight. */
function checkMutual(into: TieCollector, again: TieList, users: ReadonlySet<number>): void {
  const unlike = into.firstUnlike(again, users);
  if (unlike === null) return;
  const { from, to, here, there } = unlike;
  const [lists, other] = here > 0 ? [from, to] : [to, from];
  const found =
    here > 0 && there > 0
      ? `the tie of users ${from} and ${to} weighs ${here} on the line of ${from} and ${there} on that of ${to}`
      : `user ${lists} lists ${other}, but user ${other} does not list ${lists}`;
  throw new ConfigError(`${into.name}: ${found}; expected each tie on both users' lines, with the same weight`);
}

function headerOf(line: string, name: string, number: number): Header {
  const fields = line.trim().split(/\s+/);
  const format = (fields[2] ?? '').padStart(3, '0');
  const users = Number(fields[0]);
  const ties = Number(fields[1]);
  const whole = Number.isSafeInteger(users) && Number.isSafeInteger(ties) && users >= 0 && ties >= 0;
  const columns = fields[3] ?? '1';
  if (fields.length < 2 || fields.length > 4 || !whole || !/^[01]{3}$/.test(format) || !/^[1-9]\d?$/.test(columns)) {
    throw new ConfigError(
      `${name}:${number}: ${shorten(line)} is not the header of a METIS graph; expected "users ties [format [weights]]"`,
    );
  }
  const userWeights = format[1] === '1' ? Number(columns) : 0;
  return { users, ties, sizes: format[0] === '1', userWeights, tieWeights: format[2] === '1' };
}

/** What the line says, or what is wrong with it. */
function rowOf(line: string, header: Header): { weight: number; friends: number[]; tieWeights: number[] } | string {
  const numbers = line.trim() === '' ? [] : line.trim().split(/\s+/).map(Number);
  if (!numbers.every((value) => Number.isFinite(value) && value >= 0)) {
    return `${shorten(line)} is not a line of numbers of at least 0`;
  }
  const first = (header.sizes ? 1 : 0) + header.userWeights;
  const step = header.tieWeights ? 2 : 1;
  if (numbers.length < first || (numbers.length - first) % step !== 0) {
    return `${numbers.length} numbers in ${shorten(line)}, expected ${first} and ${step} a friend`;
  }
  const friends: number[] = [];
  const tieWeights: number[] = [];
  for (let i = first; i < numbers.length; i += step) {
    const friend = numbers[i]!;
    const weight = step === 2 ? numbers[i + 1]! : 1;
    if (!Number.isInteger(friend) || friend < 1 || friend > header.users) {
      return `friend ${friend} in ${shorten(line)}, expected 1 to ${header.users}`;
    }
    if (weight === 0) return `a tie weighs 0 in ${shorten(line)}, expected more`;
    friends.push(friend);
    tieWeights.push(weight);
  }
  return { weight: header.userWeights > 0 ? numbers[header.sizes ? 1 : 0]! : 1, friends, tieWeights };
}
