import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { orderOfIds } from '../../../bucketizer/id-order.ts';
import { CompiledIds } from '../../../bucketizer/io/compiled-ids.ts';
import { IdTable, type PairLines } from '../../../bucketizer/io/id-table.ts';
import { seededRandom } from '../../../config/random.ts';
import { below } from '../sample-graphs.ts';

test('ids are numbered as a Map numbers them, whatever they are made of', () => {
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const letters = ['a', 'b', '0', '7', 'ü', '名', '😀', ' '];
    const table = new IdTable();
    const plain = new Map<string, number>();
    for (let i = 0; i < 5000; i++) {
      const id = Array.from({ length: below(7, random) }, () => letters[below(letters.length, random)]).join('');
      if (!plain.has(id)) plain.set(id, plain.size);
      const bytes = Buffer.from(`#${id}#`);
      const found = i % 2 === 0 ? table.index(id) : table.indexOf(bytes, 1, bytes.length - 1);
      expect(found, `seed ${seed}, "${id}"`).toBe(plain.get(id));
    }
    expect(table.size).toBe(plain.size);
    expect(table.ids(), `seed ${seed}`).toEqual([...plain.keys()]);
  }
});

test('a number stands for its decimals', () => {
  const table = new IdTable();
  expect([table.index(12), table.index('12'), table.index('012'), table.index(4294967295)]).toEqual([0, 0, 1, 2]);
});

const shape: PairLines = {
  ofId: Uint8Array.from({ length: 256 }, (_, byte) => (byte > 0x20 && byte <= 0x7e ? 1 : 0)),
  between: Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0x20 || byte === 0x09 ? 1 : 0)),
  betweenMax: 3,
};

/** All lines of some chunks, those that are not two ids by their text; [line] what was taken how. */
function numbersOf(table: IdTable | CompiledIds, chunks: readonly Buffer[], linesAtOnce: number): unknown[] {
  const pairs = new Uint32Array(2 * linesAtOnce);
  const said: unknown[] = [];
  for (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const { lines, next } = table.indexPairs(chunk, start, chunk.length, shape, pairs);
      said.push([next, ...pairs.subarray(0, 2 * lines)]);
      start = next;
      if (lines > 0) continue;
      const end = chunk.indexOf(10, start);
      said.push(table.index(chunk.toString('utf8', start, end)));
      start = end + 1;
    }
  }
  return said;
}

test('ids of lines have the same numbers in WebAssembly and in JavaScript', (context) => {
  if (CompiledIds.made() === null) context.skip('ids.wasm is made by npm run build');
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const odd = ['# of', '', 'a', 'ü 1', '1 2 3', 'a    b', ' 1 2', `${'long'.repeat(below(9000, random))}ü 1`];
    const prefixes = ['', '', '', '', 'an-id-of-many-letters-', '~'.repeat(below(300, random))];
    const anyId = (): string => `${prefixes[below(prefixes.length, random)]}${below(4000, random)}`;
    const anyLine = (): string =>
      below(30, random) === 0
        ? odd[below(odd.length, random)]!
        : `${anyId()}${[' ', '\t', '  '][below(3, random)]}${anyId()}`;
    const chunks = Array.from({ length: 3 }, () =>
      Buffer.from(
        Array.from({ length: 1 + below(900, random) }, () => `${anyLine()}${['\n', '\r\n'][seed % 2]}`).join(''),
      ),
    );
    const linesAtOnce = 1 + below(200, random);
    const [plain, compiled] = [new IdTable(), CompiledIds.made()!].map((table) => ({
      first: table.index(`${below(9, seededRandom(seed))}`),
      others: numbersOf(table, chunks, linesAtOnce),
      ids: table.ids(),
      size: table.size,
    }));
    expect(compiled, `seed ${seed}`).toEqual(plain);
  }
});

test('ids have the same order in WebAssembly and in JavaScript, whatever they are made of', (context) => {
  if (CompiledIds.made() === null) context.skip('ids.wasm is made by npm run build');
  const letters = Array.from('019az\u0000\u007füÿĀ名\ud7ff\ue000\uffff😀\u{10ffff}');
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const first = below(letters.length - 1, random);
    const some = letters.slice(first, first + 2 + below(letters.length, random));
    const prefixes = ['', ...some, 'user-'.repeat(below(4, random)), '名'.repeat(below(300, random))];
    const compiled = CompiledIds.made()!;
    for (let left = below(900, random); left > 0; left--) {
      const end = Array.from({ length: below(6, random) }, () => some[below(some.length, random)]).join('');
      compiled.index(prefixes[below(prefixes.length, random)] + end);
    }
    const ids = compiled.ids();
    expect(compiled.order(), `seed ${seed}`).toEqual(orderOfIds(ids));
    compiled.index('\u0000 one more');
    expect(compiled.order(), `seed ${seed}, one more`).toEqual(orderOfIds(compiled.ids()));
  }
});
