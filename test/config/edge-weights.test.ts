import { expect, test } from 'vitest';
import { parseEdgeWeights } from '../../config/edge-weights.ts';
import { topologyOf } from '../scene.ts';

const topology = topologyOf(2, [10, 10, 10]);
const parse = (text: string) => [...parseEdgeWeights(text, topology, 'weights.csv')];

test('only proportions of an edge’s weights count, and what is not named gets nothing', () => {
  expect(parse('edge,datacenter,weight\ne0,d0,60\ne0,d2,20\ne1,d1,0.5\n')).toEqual([0.75, 0, 0.25, 0, 1, 0]);
});

test('of a series of fractions the rows of the latest time count, in whatever order they come', () => {
  const rows = [
    '2026-03-01T00:05:00Z,e0,d1,1',
    '2026-03-01T00:00:00Z,e0,d0,1',
    '2026-03-01T00:05:00Z,e1,d2,1',
    '2026-03-01T00:00:00Z,e1,d0,1',
  ];
  expect(parse(`time,edge,datacenter,fraction\n${rows.join('\n')}\n`)).toEqual([0, 1, 0, 0, 0, 1]);
});

test.each([
  ['e0,d0,1\ne9,d0,1', 'weights.csv:3: edge "e9" is not in the topology'],
  ['e0,d0,1\ne1,d9,1', 'weights.csv:3: datacenter "d9" is not in the topology'],
  ['e0,d0,1\ne0,d0,2\ne1,d0,1', 'weights.csv:3: edge "e0" has "d0" twice; keep one'],
  ['e0,d0,-1', 'weights.csv:2: weight is "-1", expected a number of at least 0'],
  ['e0,d0,many', 'weights.csv:2: weight is "many"'],
  ['e0,d0,1', 'weights.csv: edge "e1" has no weight above 0'],
  ['e0,d0,1\ne1,d0,0', 'weights.csv: edge "e1" has no weight above 0'],
])('%j is refused in one line that says where', (rows, message) => {
  expect(() => parse(`edge,datacenter,weight\n${rows}\n`)).toThrow(message);
});

test('a time that is none is refused', () => {
  expect(() => parse('time,edge,datacenter,fraction\nnoon,e0,d0,1\n')).toThrow('weights.csv:2: time is "noon"');
});
