/** The contents of a tree as bytes, and back: what is hashed, and what a tree file holds after its head. Integers are
 *  LEB128 varints, sorted ones as differences, so 47,538 users in 16,384 buckets with their quotient graph are under
 *  2 MB. Declined: zlib on top, whose output differs between Node versions (the same tree is to be the same file). */

import assert from 'node:assert';
import { createHash } from 'node:crypto';
import { atOnce, type Steps } from '../config/steps.ts';
import type { LevelQuality } from './quality.ts';
import type { BucketTree, QuotientGraph, TreeContents } from './tree.ts';

/** The only way to a version: trees are equal if and only if their contents are, byte for byte. */
export function sealTree(contents: TreeContents): BucketTree {
  return { ...contents, version: sha256Hex(encodeTree(contents)) };
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function encodeTree(tree: TreeContents): Uint8Array {
  const { height, users, bucketOfUser, bucketWeight, quotient } = tree;
  const levels = JSON.stringify(tree.levels ?? null);
  const integers = 3 + 2 * users.length + 2 * bucketWeight.length + 2 * quotient.neighbour.length;
  const out = new ByteWriter(integerBytesMax * integers + textBytesMax * (lengthOf(users) + levels.length));
  out.integer(height);
  out.integer(users.length);
  writeTexts(out, users);
  writeBuckets(out, bucketOfUser);
  writeWeights(out, bucketWeight);
  writeRows(out, quotient);
  out.text(levels);
  return out.bytes();
}

function lengthOf(texts: readonly string[]): number {
  let length = 0;
  for (let i = 0; i < texts.length; i++) length += texts[i]!.length;
  return length;
}

function writeTexts(out: ByteWriter, texts: readonly string[]): void {
  for (let i = 0; i < texts.length; i++) out.text(texts[i]!);
}

function writeBuckets(out: ByteWriter, buckets: Uint32Array): void {
  for (let i = 0; i < buckets.length; i++) out.integer(buckets[i]!);
}

function writeWeights(out: ByteWriter, weights: Float64Array): void {
  for (let i = 0; i < weights.length; i++) out.integer(weights[i]!);
}

function writeRows(out: ByteWriter, { rowStart, neighbour, weight }: QuotientGraph): void {
  for (let b = 0; b + 1 < rowStart.length; b++) {
    const end = rowStart[b + 1]!;
    out.integer(end - rowStart[b]!);
    for (let k = rowStart[b]!, before = 0; k < end; before = neighbour[k++]!) {
      out.integer(neighbour[k]! - before);
      out.integer(weight[k]!);
    }
  }
}

/** Inverse of `encodeTree`; an assertion fails on other bytes (their checksum has been verified before). */
export function decodeTree(bytes: Uint8Array): TreeContents {
  return atOnce(decodingTree(bytes));
}

/** The same in steps. */
export function* decodingTree(bytes: Uint8Array): Steps<TreeContents> {
  const from = new ByteReader(bytes);
  const height = from.integer();
  const userCount = from.integer();
  const users: string[] = [];
  while (users.length < userCount) {
    users.push(from.text());
    if (users.length % usersAStep === 0) yield;
  }
  const bucketOfUser = Uint32Array.from({ length: userCount }, () => from.integer());
  yield;
  const bucketWeight = Float64Array.from({ length: 1 << height }, () => from.integer());
  const rowStart = new Uint32Array((1 << height) + 1);
  const neighbour: number[] = [];
  const weight: number[] = [];
  for (let b = 0; b < 1 << height; b++) {
    rowStart[b + 1] = rowStart[b]! + from.integer();
    for (let k = rowStart[b]!, before = 0; k < rowStart[b + 1]!; before = neighbour[k++]!) {
      neighbour.push(before + from.integer());
      weight.push(from.integer());
    }
    if (b % bucketsAStep === 0) yield;
  }
  const levels = JSON.parse(from.text()) as readonly LevelQuality[] | null;
  assert(from.atEnd(), 'bytes follow the tree');
  const quotient = { rowStart, neighbour: Uint32Array.from(neighbour), weight: Float64Array.from(weight) };
  return { height, users, bucketOfUser, bucketWeight, quotient, ...(levels === null ? {} : { levels }) };
}

const usersAStep = 16_384;
const bucketsAStep = 1024;

const integerBytesMax = 8;
const textBytesMax = 3; // of a letter

class ByteWriter {
  private readonly buffer: Uint8Array;
  private end = 0;
  private readonly encoder = new TextEncoder();

  /** `room`: bytes at most; memory that is never written to is not there. */
  constructor(room: number) {
    this.buffer = new Uint8Array(room);
  }

  /** Non-negative, up to 2^53: the upper bits are beyond the reach of shifts. */
  integer(value: number): void {
    if (!(value >= 0 && Number.isSafeInteger(value))) {
      assert.fail('only non-negative integers have a place in a tree file');
    }
    const { buffer } = this;
    let { end } = this;
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) buffer[end++] = 128 + (rest % 128);
    buffer[end++] = rest;
    this.end = end;
  }

  text(value: string): void {
    if (this.plainText(value)) return;
    const encoded = this.encoder.encode(value);
    this.integer(encoded.length);
    this.buffer.set(encoded, this.end);
    this.end += encoded.length;
  }

  /** Of ASCII alone, as most ids are: a hundred times as many as there is time to ask the encoder for. False: it is not. */
  private plainText(value: string): boolean {
    const start = this.end;
    this.integer(value.length);
    const { buffer } = this;
    const at = this.end;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 128) {
        this.end = start;
        return false;
      }
      buffer[at + i] = unit;
    }
    this.end = at + value.length;
    return true;
  }

  bytes(): Uint8Array {
    return this.buffer.slice(0, this.end);
  }
}

export class ByteReader {
  private readonly buffer: Uint8Array;
  at = 0; // next byte to read
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(buffer: Uint8Array) {
    this.buffer = buffer;
  }

  integer(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      assert(this.at < this.buffer.length, 'the tree ends early');
      const byte = this.buffer[this.at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  text(): string {
    const length = this.integer();
    this.at += length;
    return this.decoder.decode(this.buffer.subarray(this.at - length, this.at));
  }

  /** Steps over a text; returns where its bytes begin. */
  skipText(): number {
    const length = this.integer();
    this.at += length;
    assert(this.at <= this.buffer.length, 'the tree ends early');
    return this.at - length;
  }

  atEnd(): boolean {
    return this.at === this.buffer.length;
  }
}
