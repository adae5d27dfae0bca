/** What format a file of ties is in, by its first bytes: Parquet by its magic, u32 pairs by zero bytes, which text does not
 *  have, METIS by its `%` comments or a name that ends in `.graph`, else text. Pairs have no magic, and any bytes could be
 *  some: only what looks like ids below 2^24 is taken for them, so that no program, archive or damaged text makes a tree. */

import { isUtf8 } from 'node:buffer';
import { ConfigError } from '../../config/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { treeMagic } from './tree-envelope.ts';

export const tieFormats = ['auto', 'snap', 'csv', 'metis', 'u32', 'parquet'] as const;
export type TieFormat = (typeof tieFormats)[number];

const packed = (by: string, undo: string): string =>
  `packed by ${by}, expected plain or gzip; undo that first, with ${undo}`;

/** Files handed in by mistake: where their magic is, the magic, and what to do about them. */
const strangers: readonly (readonly [number, string, string])[] = [
  [4, '1AY&SY', packed('bzip2', 'bunzip2')], // after BZh and a digit
  [0, '\xfd7zXZ\0', packed('xz', 'unxz')],
  [0, '\x28\xb5\x2f\xfd', packed('zstd', 'unzstd')],
  [0, 'PK\x03\x04', packed('zip', 'unzip')],
  [257, 'ustar', packed('tar', '"tar -x"')],
  [0, '\x7fELF', 'a program (ELF), expected ties; name the file of the ties'],
  [0, treeMagic, 'a bucket tree, expected ties; name the file of the ties (a tree to refresh goes to --previous)'],
];

/** Throws a ConfigError where it is none. */
export function formatOf({ head, name }: ByteSource): Exclude<TieFormat, 'auto'> {
  if (isUtf16(head)) throw new ConfigError(`${name}: text in UTF-16, expected UTF-8, plain or gzip; save it as UTF-8`);
  if (has(head, 0, 'PAR1')) return 'parquet';
  const stranger = strangers.find(([at, magic]) => has(head, at, magic));
  if (stranger !== undefined) throw new ConfigError(`${name}: ${stranger[2]}`);
  if (head.includes(0) && isLikePairs(head)) return 'u32';
  if (head.includes(0) && !isLikeText(head)) {
    throw new ConfigError(
      `${name}: neither text nor pairs of u32 with ids below 2^24; name a file of ties, or its format with --format (u32: pairs with any ids)`,
    );
  }
  if (has(head, 0, '%') || /\.graph(\.gz)?$/.test(name)) return 'metis';
  return 'snap';
}

function has(head: Uint8Array, at: number, magic: string): boolean {
  return Array.from(magic).every((letter, i) => head[at + i] === letter.charCodeAt(0));
}

/** A file of nothing but zero bytes is what a crash leaves. */
function isLikePairs(head: Uint8Array): boolean {
  for (let at = 3; at < head.length; at += 4) if (head[at] !== 0) return false;
  return head.length >= 8 && head.some((byte) => byte !== 0);
}

/** The line with the zero byte is a bad one, then. */
function isLikeText(head: Uint8Array): boolean {
  const end = head.lastIndexOf(0x0a);
  return end > 0 && isUtf8(head.subarray(0, end));
}

/** Latin letters, with a byte order mark before them or without. */
function isUtf16(head: Uint8Array): boolean {
  const marked = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const letters = head.subarray(marked ? 2 : 0, 66);
  return letters.length > 1 && [0, 1].some((odd) => letters.every((byte, i) => (i % 2 === odd) === (byte === 0)));
}
