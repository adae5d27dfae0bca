/** What every reader of ties does alike: number the users, add up ties, count bad lines and refuse one too many. */

import { ConfigError } from '../../config/errors.ts';
import { TieList } from '../tie-list.ts';
import { IdTable } from './id-table.ts';

export interface EdgeList {
  readonly users: readonly string[]; // by first appearance
  readonly ties: Uint32Array; // pairs of indices into users; self-ties as given, repeated ones as given or added up
  readonly tieWeights: Float64Array | null; // [tie] > 0; null where the file has no weights
  readonly badLines: number; // skipped
  readonly repeated: number; // lines already added to another tie
  readonly mutual: boolean; // each tie is given once for both directions
  readonly userWeights?: Float64Array; // [user], where the file has them
}

export class TieCollector {
  readonly name: string; // of the file, for complaints
  badLines = 0;
  private readonly badLinesMax: number;
  private readonly ids = new IdTable();
  private readonly list = new TieList();

  constructor(name: string, badLinesMax: number) {
    this.name = name;
    this.badLinesMax = badLinesMax;
  }

  /** Numbers stand for their decimals. */
  index(id: string | number): number {
    return this.ids.index(id);
  }

  add(from: string | number, to: string | number, weight = 1): void {
    const at = this.index(from); // in this order
    this.list.push(at, this.index(to), weight);
  }

  /** A tie whose ids are pieces of `bytes`, in UTF-8. */
  addBytes(bytes: Uint8Array, fromStart: number, fromEnd: number, toStart: number, toEnd: number): void {
    const at = this.ids.indexOf(bytes, fromStart, fromEnd);
    this.list.push(at, this.ids.indexOf(bytes, toStart, toEnd));
  }

  /** Throws a ConfigError at the first bad line beyond the limit. `where`: a line's number, or what stands for one. */
  bad(where: number | string, complaint: string): void {
    this.badLines++;
    if (this.badLines <= this.badLinesMax) return;
    const some = this.badLinesMax > 0;
    const which = some ? `bad line ${this.badLines}, more than` : 'mend it, or skip such lines with';
    throw new ConfigError(
      `${this.name}:${where}: ${complaint}; ${which} --max-bad-lines${some ? ` ${this.badLinesMax}` : ''}`,
    );
  }

  /** Throws a ConfigError where there is no tie. */
  finish(mutual = false, userWeights?: readonly number[]): EdgeList {
    if (this.list.length === 0) {
      throw new ConfigError(
        `${this.name}: the graph is empty, no line holds a tie; expected lines such as "a b" or "user,friend"`,
      );
    }
    return {
      users: this.ids.ids(),
      ...this.list.finish(),
      badLines: this.badLines,
      mutual,
      ...(userWeights === undefined ? {} : { userWeights: Float64Array.from(userWeights) }),
    };
  }
}

export function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
