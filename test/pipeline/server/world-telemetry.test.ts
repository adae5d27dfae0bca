/** A world seen from within: nothing later than the start of the epoch. */

import { expect, test } from 'vitest';
import { readWorld } from '../../../config/load.ts';
import { firstStartMs, observeWorld } from '../../../pipeline/server/world-telemetry.ts';
import { smallWorld } from '../../config/small-world.ts';

const startMs = Date.parse('2026-03-02T00:00:00Z');
const stepMs = 300_000;

test('an epoch sees the demand of the step that ended at its start and the events up to it', () => {
  const source = { world: readWorld(smallWorld()), repeat: false };
  expect(firstStartMs(source)).toBe(startMs + stepMs);
  const at = (steps: number) => observeWorld(source, startMs + steps * stepMs);
  const seen = [1, 2, 3].map((steps) => {
    const observed = at(steps);
    return observed.kind === 'observed' ? [[...observed.demandRps], observed.states.map(({ keep }) => keep)] : null;
  });
  expect(seen).toEqual([
    [
      [400, 100],
      [1, 0],
    ], // dublin went abnormal at this very start
    [
      [410, 90],
      [1, 1],
    ],
    [
      [0, 80.5],
      [1, 1],
    ],
  ]);
});

test('before the first step has ended and after the last there is nothing to plan on', () => {
  const source = { world: readWorld(smallWorld()), repeat: false };
  for (const steps of [0, 4, 100]) {
    const observed = observeWorld(source, startMs + steps * stepMs);
    expect(observed.kind).toBe('nothing');
    if (observed.kind === 'nothing')
      expect(observed.message).toContain('from 2026-03-02T00:05:00Z to 2026-03-02T00:15:00Z');
  }
});

test('a repeated world goes on for ever, events included', () => {
  const source = { world: readWorld(smallWorld()), repeat: true };
  for (let steps = 1; steps <= 12; steps++) {
    const once = observeWorld(source, startMs + (((steps - 1) % 3) + 1) * stepMs);
    expect(observeWorld(source, startMs + steps * stepMs), `step ${steps}`).toEqual(once);
  }
});
