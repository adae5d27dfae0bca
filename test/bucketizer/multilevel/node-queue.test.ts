import { expect, test } from 'vitest';
import { NodeQueue } from '../../../bucketizer/multilevel/node-queue.ts';
import { seededRandom } from '../../../config/random.ts';
import { below } from '../sample-graphs.ts';

test('nodes leave in the order of their last priority, equal ones by number', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = seededRandom(seed);
    const queue = new NodeQueue(30);
    const plain = new Map<number, number>();
    for (let step = 0; step < 300; step++) {
      const v = below(30, random);
      if (random() < 0.6) {
        const priority = below(8, random);
        queue.put(v, priority);
        plain.set(v, priority);
      } else if (random() < 0.5) {
        queue.remove(v);
        plain.delete(v);
      } else {
        const first = [...plain].sort(([a, p], [b, q]) => q - p || a - b)[0]?.[0] ?? -1;
        expect(queue.take(), `seed ${seed}, step ${step}`).toBe(first);
        plain.delete(first);
      }
    }
  }
});
