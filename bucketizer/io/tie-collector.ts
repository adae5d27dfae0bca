/** What every reader of ties does alike: number the users, add up ties, count bad lines and refuse one too many. */

import { ConfigError, countOf } from '../../config/errors.ts';
import { TieList, type UnlikeTie } from '../tie-list.ts';
import { CompiledIds } from './compiled-ids.ts';
import { IdTable, type PairLines } from './id-table.ts';

const namedMax = 10; // bad lines that are skipped: whoever mends a file sees by these what is wrong with the others

const linesAtOnce = 1024; // few, so that the loop over them is left, and entered again, before it is compiled

export interface EdgeList {
  readonly users: readonly string[]; // by first appearance
  readonly order?: Uint32Array; // `orderOfIds` of them, where it is known
  readonly ties: Uint32Array; // pairs of indices into users; self-ties as given, repeated ones as given or added up
  readonly tieWeights: Float64Array | null; // [tie] > 0; null where the file has no weights
  readonly badLines: number; // skipped
  readonly badLinesNamed: readonly string[]; // the first of them: file, number and what is wrong
  readonly repeated: number; // lines between two users already added to another tie
  readonly selfRepeated: number; // lines from a user to itself already added to another one
  readonly mutual: boolean; // each tie is given once for both directions
  readonly userWeights?: Float64Array; // [user], where the file has them
}

export class TieCollector {
  readonly name: string; // of the file, for complaints
  badLines = 0;
  private readonly badLinesNamed: string[] = [];
  private readonly badLinesMax: number;
  private readonly ids: IdTable | CompiledIds;
  private readonly list = new TieList();
  private readonly pairs = new Uint32Array(2 * linesAtOnce);

  /** `small`: there are so few users that WebAssembly has room for all their ids. */
  constructor(name: string, badLinesMax: number, small = false) {
    this.name = name;
    this.badLinesMax = badLinesMax;
    this.ids = (small ? CompiledIds.made() : null) ?? new IdTable();
  }

  /** Numbers stand for their decimals. */
  index(id: string | number): number {
    return this.ids.index(id);
  }

  add(from: string | number, to: string | number, weight = 1): void {
    const at = this.index(from); // in this order
    this.push(at, this.index(to), weight);
  }

  /** As `add`, by their indices. */
  push(from: number, to: number, weight: number): void {
    this.list.push(from, to, weight);
  }

  /** Some of the ties of `bytes[start .. end)`, as long as lines are two ids: returns how many, and where the next line
   *  begins. `swapped`: a tie comes from the second id of its line. */
  addPairLines(
    bytes: Uint8Array,
    start: number,
    end: number,
    shape: PairLines,
    swapped: boolean,
  ): { readonly lines: number; readonly next: number } {
    const taken = this.ids.indexPairs(bytes, start, end, shape, this.pairs);
    if (swapped) swapEnds(this.pairs, taken.lines);
    this.list.pushPairs(this.pairs, taken.lines);
    return taken;
  }

  /** Throws a ConfigError at the first bad line beyond the limit. `where`: a line's number, or what stands for one. */
  bad(where: number | string, complaint: string): void {
    this.badLines++;
    if (this.badLines <= this.badLinesMax) {
      if (this.badLinesNamed.length < namedMax) this.badLinesNamed.push(`${this.name}:${where}: ${complaint}`);
      return;
    }
    const some = this.badLinesMax > 0;
    const which = some ? `bad line ${this.badLines}, more than` : 'mend it, or skip such lines with';
    throw new ConfigError(
      `${this.name}:${where}: ${complaint}; ${which} --max-bad-lines${some ? ` ${this.badLinesMax}` : ''}`,
    );
  }

  /** `firstUnlike` of the ties so far, with ids. */
  firstUnlike(
    other: TieList,
    to: ReadonlySet<number>,
  ): (Omit<UnlikeTie, 'from' | 'to'> & { readonly from: string; readonly to: string }) | null {
    const unlike = this.list.firstUnlike(other, to);
    if (unlike === null) return null;
    const ids = this.ids.ids();
    return { ...unlike, from: ids[unlike.from]!, to: ids[unlike.to]! };
  }

  /** Throws a ConfigError where there is no tie. */
  finish(mutual = false, userWeights?: readonly number[]): EdgeList {
    if (this.list.length === 0) {
      const skipped = this.badLines > 0 ? `, and ${countOf(this.badLines, 'bad line')} skipped` : '';
      const expected = mutual ? 'friends on the lines of users' : 'lines such as "a b", or "a,b" below "user,friend"';
      throw new ConfigError(
        `${this.name}: no tie is in it${skipped}; expected ${expected}: check that what wrote it went through (users alone, as of --users, make no tree)`,
      );
    }
    return {
      users: this.ids.ids(),
      ...(this.ids instanceof CompiledIds ? { order: this.ids.order() } : {}),
      ...this.list.finish(),
      badLines: this.badLines,
      badLinesNamed: this.badLinesNamed,
      mutual,
      ...(userWeights === undefined ? {} : { userWeights: Float64Array.from(userWeights) }),
    };
  }
}

function swapEnds(pairs: Uint32Array, count: number): void {
  for (let i = 0; i < 2 * count; i += 2) {
    const first = pairs[i]!;
    pairs[i] = pairs[i + 1]!;
    pairs[i + 1] = first;
  }
}

export function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
