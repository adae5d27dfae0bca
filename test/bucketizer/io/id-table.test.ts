import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { IdTable } from '../../../bucketizer/io/id-table.ts';
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
