/** What format a file of ties is in, by its first bytes. UTF-8 without a zero byte is text, whatever it begins with: METIS by
 *  its `%` comments or a name that ends in `.graph`, else SNAP or CSV. Of other bytes Parquet is told by its magic, and so are
 *  files handed in by mistake; u32 pairs, which have none, by zero bytes: any bytes could be some, so only what looks like
 *  ids below 2^24 is taken for them. What is left is text where all but its last line is UTF-8, or where it has no zero byte:
 *  then some lines are bad. */

import { Buffer, isUtf8 } from 'node:buffer';
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
  [0, '\x04\x22\x4d\x18', packed('lz4', 'unlz4')],
  [0, 'PK\x03\x04', packed('zip', 'unzip')],
  [0, '7z\xbc\xaf\x27\x1c', packed('7-Zip', '"7z x"')],
  [0, 'Rar!\x1a\x07', packed('RAR', '"unrar x"')],
  [257, 'ustar', packed('tar', '"tar -x"')],
  [0, '\x7fELF', 'a program (ELF), expected ties; name the file of the ties'],
  [0, '\0asm', 'a program (WebAssembly), expected ties; name the file of the ties'],
  [0, treeMagic, 'a bucket tree, expected ties; name the file of the ties (a tree to refresh goes to --previous)'],
];

/** Throws a ConfigError where it is none. */
export function formatOf({ head, name }: ByteSource): Exclude<TieFormat, 'auto'> {
  if (!isText(head)) {
    if (has(head, 0, 'PAR1')) return 'parquet';
    const why = whyRefused(head);
    if (why !== null) throw new ConfigError(`${name}: ${why}`);
    if (isLikePairs(head)) return 'u32';
  }
  if (has(head, 0, '%') || /\.graph(\.gz)?$/.test(name)) return 'metis';
  return 'snap';
}

/** Of bytes that are not text. */
function whyRefused(head: Uint8Array): string | null {
  if (isUtf16(head)) {
    return 'text in UTF-16, expected UTF-8, plain or gzip; save it as UTF-8 (or say --format u32, if it is pairs of u32)';
  }
  const stranger = strangers.find(([at, magic]) => has(head, at, magic));
  if (stranger !== undefined) return stranger[2];
  if (isLikePairs(head)) {
    if (!isLikeLongs(head)) return null;
    return 'every second number of 32 bits is 0, as in numbers of 64 bits, expected pairs of u32; write those (or say --format u32, if all are friends of 0)';
  }
  if (!head.includes(0) || isLikeText(head)) return null;
  return 'neither text nor pairs of u32 with ids below 2^24; name a file of ties, or its format with --format (u32: pairs with any ids)';
}

function has(head: Uint8Array, at: number, magic: string): boolean {
  return Array.from(magic).every((letter, i) => head[at + i] === letter.charCodeAt(0));
}

/** The first bytes may end within a letter. */
function isText(head: Uint8Array): boolean {
  return !head.includes(0) && [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, head.length - cut)));
}

/** A file of nothing but zero bytes is what a crash leaves. */
function isLikePairs(head: Uint8Array): boolean {
  for (let at = 3; at < head.length; at += 4) if (head[at] !== 0) return false;
  return head.length >= 8 && head.some((byte) => byte !== 0);
}

/** Small integers of 64 bits, little-endian. */
function isLikeLongs(head: Uint8Array): boolean {
  return head.every((byte, at) => at % 8 < 4 || byte === 0);
}

/** The line with the zero byte is a bad one, then. */
function isLikeText(head: Uint8Array): boolean {
  const end = head.lastIndexOf(0x0a);
  return end > 0 && isUtf8(head.subarray(0, end));
}

/** Latin letters, with a byte order mark before them or with the line ends and blanks that lines of ties have, for pairs of
 *  u32 have zero bytes in the same places where ids are from 65537 to 65791. */
function isUtf16(head: Uint8Array): boolean {
  const marked = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const first = head.subarray(marked ? 2 : 0, 66);
  const odd = [0, 1].find((odd) => first.every((byte, i) => (i % 2 === odd) === (byte === 0)));
  if (odd === undefined || first.length < 2) return false;
  return marked || isLikeLines(head.filter((_, at) => at % 2 !== odd && head[at ^ 1] === 0));
}

function isLikeLines(letters: Uint8Array): boolean {
  const [lineEnds, blanks] = [Buffer.from('\r\n'), Buffer.from('\t ,')];
  if (!letters.includes(0x0a) || !letters.some((letter) => blanks.includes(letter))) return false;
  return letters.every((letter) => letter >= 0x20 || lineEnds.includes(letter) || blanks.includes(letter));
}
