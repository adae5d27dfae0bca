import { expect, test } from 'vitest';
import { parseFractions } from '../../../pipeline/replay/fractions-file.ts';
import { topologyOf } from '../../scene.ts';

const topology = topologyOf(2, [100, 100]);
const header = 'time,edge,datacenter,fraction\n';
const first = Date.parse('2026-03-02T00:00:00Z');
const read = (rows: string) => parseFractions(header + rows, 'f.csv', topology, first);

test('fractions hold until the next time that is given; pairs left out are 0', () => {
  const at = read(
    '2026-03-02T00:00:00Z,e0,d0,0.25\n2026-03-02T00:00:00Z,e0,d1,0.75\n2026-03-02T00:00:00Z,e1,d1,1\n' +
      '2026-03-02T00:10:00Z,e0,d0,1\n2026-03-02T00:10:00Z,e1,d0,1\n',
  );
  expect([...at(first)]).toEqual([0.25, 0.75, 0, 1]);
  expect([...at(first + 300_000)]).toEqual([0.25, 0.75, 0, 1]);
  expect([...at(first + 600_000)]).toEqual([1, 0, 1, 0]);
});

test.each([
  ['2026-03-02T00:00:00Z,e0,d0,0.5\n2026-03-02T00:00:00Z,e1,d0,1\n', /f\.csv: .*edge e0 add up to 0\.5, expected 1/],
  ['2026-03-02T00:00:00Z,e9,d0,1\n', /f\.csv:2: unknown edge "e9"/],
  ['2026-03-02T00:00:00Z,e0,d9,1\n', /f\.csv:2: unknown datacenter "d9"/],
  ['2026-03-02T00:00:00Z,e0,d0,1.5\n', /f\.csv:2: fraction is "1\.5"/],
  ['2026-03-02T00:00:00Z,e0,d0,1\n2026-03-02T00:00:00Z,e0,d0,1\n', /f\.csv:3: e0 to d0 .* given twice/],
  ['2026-03-02T00:05:00Z,e0,d0,1\n2026-03-02T00:05:00Z,e1,d0,1\n', /no fractions for 2026-03-02T00:00:00/],
])('refused by file and line: %j', (rows, message) => {
  expect(() => read(rows)).toThrow(message);
});
