import { expect, test } from 'vitest';
import { readWorld } from '../../config/load.ts';
import { worldNotes } from '../../config/world-notes.ts';
import { smallWorld } from './small-world.ts';

const notesOf = (rows: readonly string[]): string[] =>
  worldNotes(
    readWorld(
      smallWorld({
        'demand.csv': `time,fra,nyc\n${rows.map((row, t) => `2026-03-02T00:${t}0:00Z,${row}`).join('\n')}\n`,
      }),
    ),
  );

test('one step far above all others of its edge is told, with its time', () => {
  expect(notesOf(['10,20', '10,230', '12,20'])).toEqual([
    'demand of nyc at 2026-03-02T00:10:00Z is 230 rps, at no other time more than 20; it is believed and planned on: if it is a slip, mend that row of demand.csv',
  ]);
});

test('a crowd that stays, a first user and a daily rhythm are no spikes', () => {
  expect(notesOf(['10,20', '10,230', '12,220'])).toEqual([]);
  expect(notesOf(['0,20', '0,20', '12,20'])).toEqual([]);
  expect(notesOf(['1,20', '9,20', '5,20'])).toEqual([]);
});
