/** The assignment of one edge as short text: runs (`0*8192 3*8192`) while blocks are whole, or target numbers packed
 *  into bits as base64 (`4:...`) where they are scattered; whichever is shorter. Used by plans, journal and edges.
 *  Plain text stays readable in a diff and gzips to about the packed size; a binary format would save nothing more. */

import { ConfigError } from '../../config/errors.ts';

/** `assignment`: [bucket] index into targets. The same bytes for the same assignment, always. */
export function encodeAssignment(assignment: Uint8Array, targetCount: number): string {
  const bits = bitsFor(targetCount);
  const packedLength = 2 + 4 * Math.ceil(Math.ceil((assignment.length * bits) / 8) / 3);
  return encodeRuns(assignment, packedLength) ?? `${bits}:${base64(pack(assignment, bits))}`;
}

/** Throws a ConfigError where `text` is not an assignment of `bucketCount` buckets to known targets. */
export function decodeAssignment(text: string, bucketCount: number, targetCount: number, where: string): Uint8Array {
  const assignment = text.includes('*')
    ? decodeRuns(text, bucketCount, where)
    : decodePacked(text, bucketCount, targetCount, where);
  for (let b = 0; b < bucketCount; b++) {
    if (assignment[b]! >= targetCount) {
      throw new ConfigError(`${where}: bucket ${b} goes to target ${assignment[b]}, expected 0..${targetCount - 1}`);
    }
  }
  return assignment;
}

/** null once the text gets longer than `lengthMax`. */
function encodeRuns(assignment: Uint8Array, lengthMax: number): string | null {
  let text = '';
  for (let start = 0; start < assignment.length; ) {
    const target = assignment[start]!;
    let end = start + 1;
    while (end < assignment.length && assignment[end] === target) end += 1;
    text += `${start === 0 ? '' : ' '}${target}*${end - start}`;
    if (text.length > lengthMax) return null;
    start = end;
  }
  return text;
}

function decodeRuns(text: string, bucketCount: number, where: string): Uint8Array {
  const assignment = new Uint8Array(bucketCount);
  let filled = 0;
  for (const run of text.split(' ')) {
    const match = /^(\d{1,3})\*([1-9]\d{0,6})$/.exec(run);
    if (match === null || Number(match[1]) > 255) {
      throw new ConfigError(`${where}: run ${JSON.stringify(run.slice(0, 40))}, expected target*length such as 3*128`);
    }
    const end = filled + Number(match[2]);
    if (end > bucketCount) throw new ConfigError(`${where}: runs cover more than ${bucketCount} buckets`);
    assignment.fill(Number(match[1]), filled, end);
    filled = end;
  }
  if (filled !== bucketCount) {
    throw new ConfigError(`${where}: runs cover ${filled} buckets, expected ${bucketCount}; the text is cut short`);
  }
  return assignment;
}

function decodePacked(text: string, bucketCount: number, targetCount: number, where: string): Uint8Array {
  const bits = bitsFor(targetCount);
  if (!text.startsWith(`${bits}:`)) {
    throw new ConfigError(
      `${where}: assignment begins ${JSON.stringify(text.slice(0, 8))}, expected runs or "${bits}:"`,
    );
  }
  const bytes = fromBase64(text.slice(2), where);
  const expected = Math.ceil((bucketCount * bits) / 8);
  if (bytes.length !== expected) {
    throw new ConfigError(`${where}: ${bytes.length} packed bytes, expected ${expected} for ${bucketCount} buckets`);
  }
  const assignment = new Uint8Array(bucketCount);
  const mask = (1 << bits) - 1;
  let held = 0;
  let heldBits = 0;
  let next = 0;
  for (let b = 0; b < bucketCount; b++) {
    if (heldBits < bits) {
      held = (held << 8) | bytes[next++]!;
      heldBits += 8;
    }
    heldBits -= bits;
    assignment[b] = (held >>> heldBits) & mask;
    held &= (1 << heldBits) - 1;
  }
  return assignment;
}

function bitsFor(targetCount: number): number {
  let bits = 1;
  while (1 << bits < targetCount) bits += 1;
  return bits; // 1..8: an assignment holds bytes
}

function pack(assignment: Uint8Array, bits: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((assignment.length * bits) / 8));
  let held = 0;
  let heldBits = 0;
  let next = 0;
  for (const target of assignment) {
    held = (held << bits) | target;
    heldBits += bits;
    if (heldBits >= 8) {
      heldBits -= 8;
      bytes[next++] = held >>> heldBits;
      held &= (1 << heldBits) - 1;
    }
  }
  if (heldBits > 0) bytes[next] = held << (8 - heldBits);
  return bytes;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += alphabet[group >>> 18]! + alphabet[(group >>> 12) & 63]!;
    text += i + 1 < bytes.length ? alphabet[(group >>> 6) & 63]! : '=';
    text += i + 2 < bytes.length ? alphabet[group & 63]! : '=';
  }
  return text;
}

function fromBase64(text: string, where: string): Uint8Array {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new ConfigError(`${where}: packed assignment is not base64; the text is damaged`);
  }
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let next = 0;
  for (let i = 0; i < text.length; i += 4) {
    let group = 0;
    for (let k = 0; k < 4; k++) group = (group << 6) | Math.max(0, alphabet.indexOf(text[i + k]!));
    for (let shift = 16; shift >= 0 && next < bytes.length; shift -= 8) bytes[next++] = (group >>> shift) & 255;
  }
  return bytes;
}
