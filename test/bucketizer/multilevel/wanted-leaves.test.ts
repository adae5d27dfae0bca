import { expect, test } from 'vitest';
import { WantedLeaves } from '../../../bucketizer/multilevel/wanted-leaves.ts';
import { seededRandom } from '../../../config/random.ts';
import { below } from '../sample-graphs.ts';

test('the leaves where most is gained are kept, best first, of equal ones the first in the tree', () => {
  const wanted = new WantedLeaves(4);
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const noted = Array.from({ length: below(9, random) }, (_, i) => ({
      leaf: (7 * i) % 9,
      gain: 1 + below(4, random),
    }));
    wanted.clear();
    for (const { leaf, gain } of noted) wanted.note(leaf, gain);
    const best = noted.sort((a, b) => b.gain - a.gain || a.leaf - b.leaf).slice(0, 4);
    const kept = best.map((_, i) => ({ leaf: wanted.leaf[i], gain: wanted.gain[i] }));
    expect(kept, `seed ${seed}`).toEqual(best);
    expect(wanted.count, `seed ${seed}`).toBe(best.length);
    expect(wanted.isFull(), `seed ${seed}`).toBe(best.length === 4);
  }
});
