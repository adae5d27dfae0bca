import { expect, test } from 'vitest';
import type { ByteSource } from '../../../bucketizer/io/byte-source.ts';
import { eachLineBut } from '../../../bucketizer/io/text-stream.ts';
import { seededRandom } from '../../../config/random.ts';
import { below } from '../sample-graphs.ts';

async function* inPieces(bytes: Buffer, pieceMax: number, random: () => number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + below(pieceMax, random);
    yield bytes.subarray(at, end);
    at = end;
  }
}

test('lines are the same wherever the pieces end in which they come', async () => {
  const bytesMax = 12;
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const parts = ['a', 'bc', 'ü', '\n', '\r\n', '\r', '\xff', '\0', 'long letters ', '#', ' '.repeat(13)];
    const bytes = Buffer.concat(
      Array.from({ length: below(60, random) }, () => {
        const part = parts[below(parts.length, random)]!;
        return Buffer.from(part, part === '\xff' ? 'latin1' : 'utf8');
      }),
    );
    const expected: string[] = [];
    for (let start = 0; start < bytes.length; ) {
      const lineEnd = bytes.indexOf(10, start);
      const end = lineEnd < 0 ? bytes.length : lineEnd;
      const line = bytes.subarray(start, end).toString().replace(/\r$/, '');
      const bad = line.includes('\ufffd') || line.includes('\0');
      expected.push(end - start > bytesMax ? 'long' : bad ? 'bad' : line);
      start = end + 1;
    }
    const chunks = inPieces(bytes, 1 + below(bytesMax, random), random);
    const source: ByteSource = {
      name: 'ties',
      head: bytes,
      chunks,
      gzip: false,
      isFile: false,
      bytes: bytes.length,
      bytesRead: () => 0,
      close: () => {},
    };
    const found: string[] = [];
    await eachLineBut(
      source,
      (block, start, end) => {
        // takes lines of letters alone, as those do who understand bytes
        expect(block[end - 1]).toBe(10);
        const next = block.indexOf(10, start) + 1;
        const line = block.subarray(start, next - 1).toString();
        if (!/^[a-c]+$/.test(line)) return { lines: 0, next: start };
        found.push(line);
        return { lines: 1, next };
      },
      (line, number, wrong) => {
        expect(number, `seed ${seed}`).toBe(found.length + 1);
        found.push(wrong === null ? line : wrong.startsWith('the line is longer') ? 'long' : 'bad');
      },
      () => {},
      bytesMax,
    );
    expect(found, `seed ${seed}`).toEqual(expected);
  }
});
