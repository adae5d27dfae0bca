import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../config/errors.ts';
import { datacenterId, edgeId } from '../../../config/ids.ts';
import { makeTopology } from '../../../config/topology.ts';
import { type Edit, parseEdits } from '../../../pipeline/replay/edits.ts';
import { complaintOf } from '../../config/small-world.ts';

/** Edges ams, fra, fra.b (0 to 2); datacenters b.oslo, dublin, oslo (0 to 2). */
const edges = ['ams', 'fra', 'fra.b'].map((id) => ({ id: edgeId(id, 'test'), city: id, lat: 0, lon: 0 }));
const datacenters = ['b.oslo', 'dublin', 'oslo'].map((id) => ({
  id: datacenterId(id, 'test'),
  lat: 0,
  lon: 0,
  capacityRps: 100,
}));
const rtts = edges.flatMap((edge) => datacenters.map((dc) => ({ edge: edge.id, datacenter: dc.id, rttMs: 10 })));
const topology = makeTopology(edges, datacenters, rtts, 'test');
const parse = (text: string): readonly Edit[] => parseEdits(text, topology);

describe('an edit is read as it is meant', () => {
  test.each<[string, Partial<Record<'kind' | 'operator' | 'indices' | 'path' | 'value', unknown>>]>([
    ['capacity.dublin=50', { kind: 'capacity', operator: '=', indices: [1], value: 50 }],
    ['capacity.dublin*=0.5', { kind: 'capacity', operator: '*=', indices: [1], value: 0.5 }],
    ['capacity.dublin+=-5e1', { kind: 'capacity', operator: '+=', indices: [1], value: -50 }],
    [' capacity.dublin  =  .5 ', { kind: 'capacity', operator: '=', indices: [1], value: 0.5 }],
    ['demand.*=1.3', { kind: 'demand', operator: '*=', indices: [0, 1, 2], value: 1.3 }],
    ['demand.**=1.3', { kind: 'demand', operator: '*=', indices: [0, 1, 2], value: 1.3 }],
    ['demand.* *= 1.3', { kind: 'demand', operator: '*=', indices: [0, 1, 2], value: 1.3 }],
    ['demand.* =100', { kind: 'demand', operator: '=', indices: [0, 1, 2], value: 100 }],
    ['demand.*+=1', { kind: 'demand', operator: '+=', indices: [0, 1, 2], value: 1 }],
    ['demand.fra*=2', { kind: 'demand', operator: '*=', indices: [1], value: 2 }],
    ['demand.fra.b*=2', { kind: 'demand', operator: '*=', indices: [2], value: 2 }],
    ['state.oslo.keep=0', { kind: 'state', operator: '=', indices: [2], value: 0 }],
    ['state.b.oslo.keep*=-0', { kind: 'state', operator: '*=', indices: [0], value: 0 }],
    ['state.*.keep*=0.5', { kind: 'state', operator: '*=', indices: [0, 1, 2], value: 0.5 }],
    ['rtt.ams.dublin=30', { kind: 'rtt', operator: '=', indices: [1], value: 30 }],
    ['rtt.fra.b.b.oslo=30', { kind: 'rtt', operator: '=', indices: [6], value: 30 }],
    ['rtt.fra.*=2', { kind: 'rtt', operator: '*=', indices: [3, 4, 5], value: 2 }],
    ['rtt.*.oslo+=5', { kind: 'rtt', operator: '+=', indices: [2, 5, 8], value: 5 }],
    ['rtt.*.*=2', { kind: 'rtt', operator: '*=', indices: [0, 1, 2, 3, 4, 5, 6, 7, 8], value: 2 }],
    ['policy.utilizationMax=0.9', { kind: 'policy', operator: '=', path: ['utilizationMax'], value: 0.9 }],
    ['policy.guards.churnMax*=2', { kind: 'policy', operator: '*=', path: ['guards', 'churnMax'], value: 2 }],
    ['policy.emergencyMax=null', { kind: 'policy', operator: '=', path: ['emergencyMax'], value: null }],
    ['policy.epoch=10m', { kind: 'policy', operator: '=', path: ['epoch'], value: '10m' }],
    [
      'policy.price=[[0.6, 1], [0.8, 20]]',
      {
        kind: 'policy',
        value: [
          [0.6, 1],
          [0.8, 20],
        ],
      },
    ],
    ['policy.assert=["a, b", \'c, d\', "e\\", f"]', { kind: 'policy', value: ['a, b', 'c, d', 'e", f'] }],
  ])('%s', (text, expected) => {
    const edits = parse(text);
    expect(edits).toHaveLength(1);
    expect(edits[0]).toMatchObject(expected);
  });
});

test('edits are cut at commas, not at those inside a value, and keep their order', () => {
  const edits = parse('demand.fra=1, policy.guards={ churnMax: 0.1, damping: 1 },capacity.*=2');
  expect(edits.map(({ text }) => text)).toEqual([
    'demand.fra = 1',
    'policy.guards = {"churnMax":0.1,"damping":1}',
    'capacity.* *= 2',
  ]);
  expect(edits.map(({ where }) => where)).toEqual([1, 15, 59].map((at) => `--what-if: character ${at}`));
});

describe('what cannot be meant is refused: where, what was found, what is expected', () => {
  test.each([
    ['', 'character 1: no edit, expected one such as capacity.tokyo*=0.5 or demand.*=1.3'],
    ['demand.fra=1,', 'character 14: no edit, expected one such as capacity.tokyo*=0.5 or demand.*=1.3'],
    ['demand.fra', 'character 1: "demand.fra" changes nothing, expected =, *= or += and a value'],
    [
      'demand.fra=1, demnd.fra=2',
      'character 15: unknown "demnd" (did you mean "demand"?); expected capacity.DATACENTER',
    ],
    ['churnMax=1', 'character 1: unknown "churnMax"; expected'],
    ['utilizationMax=1', 'unknown "utilizationMax" (did you mean "policy.utilizationMax"?); expected'],
    ['demand=1', 'character 1: "demand" names nothing, expected demand.EDGE'],
    ['demand*=1', 'character 1: "demand" names nothing, expected demand.EDGE'],
    ['demand.+=1', 'character 1: "demand." names nothing, expected demand.EDGE'],
    ['demand.frb=1', 'unknown edge "frb" (did you mean "fra"?); expected ams, fra, fra.b, or * for all'],
    ['capacity.fra=1', 'unknown datacenter "fra"; expected b.oslo, dublin, oslo, or * for all'],
    ['capacity.oslo=', 'the value is "", expected a number such as 0.5'],
    ['capacity.oslo=50%', 'the value is "50%", expected a number such as 0.5; write 0.5 for 50%'],
    ['capacity.oslo=0x10', 'the value is "0x10", expected a number'],
    ['capacity.oslo=1e999', 'the value is "1e999", expected a number'],
    ['capacity.oslo==1', 'the value is "=1", expected a number'],
    ['state.oslo=0', '"state.oslo", expected state.DATACENTER.keep, a share 0..1'],
    ['state.oslo.keep=1.5', 'keep = 1.5, expected = or *= and a share 0..1'],
    ['state.oslo.keep+=0.5', 'keep += 0.5, expected = or *= and a share 0..1'],
    ['rtt.fra=1', '"rtt.fra" is no pair, expected rtt.EDGE.DATACENTER, either may be *'],
    ['rtt.fra.oslp=1', 'unknown datacenter "oslp" (did you mean "oslo"?)'],
    ['rtt.frb.oslo=1', 'unknown edge "frb" (did you mean "fra"?)'],
    ['rtt.fra.b.oslo=1', '"rtt.fra.b.oslo" can mean fra to b.oslo or fra.b to oslo, expected one pair'],
    ['policy=1', '"policy" names nothing, expected policy.KEY'],
    ['policy.*=1', '"policy." names nothing, expected policy.KEY'],
    ['policy.guards.*=2', '"policy.guards." is no key, expected one such as policy.guards.churnMax'],
    ['policy.__proto__.x=1', '"policy.__proto__.x" is no key'],
    ['policy.epoch=', 'the value of policy.epoch is missing, expected one as in a policy file, such as 0.02'],
    ['policy.epoch=[5m', 'the value of policy.epoch is "[5m", expected one as in a policy file'],
    ['policy.allowed=&a [*a]', 'the value of policy.allowed is "&a [*a]", expected one as in a policy file'],
    ['policy.epoch*=2m', 'the value is "2m", expected a number'],
  ])('%s', (text, expected) => {
    expect(complaintOf(() => parse(text))).toContain(`--what-if: `);
    expect(complaintOf(() => parse(text))).toContain(expected);
  });
});

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        ...['capacity', 'demand', 'state', 'rtt', 'policy', 'keep', 'fra', 'oslo', 'guards', 'churnMax', '\n', '\\'],
        ...['demand.fra', 'capacity.*', 'state.oslo.keep', 'rtt.*.oslo', 'policy.utilizationMax', ' =0.5', '*=', '+=2'],
        ...['.', '*', '=', '+', ',', ' ', '0.5', '-1', '1e9', '[', ']', '{', '}', ':', '"', "'", '&a', '*a', '%', '#'],
      ),
      { maxLength: 14 },
    )
    .map((words) => words.join('')),
);

test('any text gives edits, or one complaint of one line', () => {
  fc.assert(
    fc.property(anything, (text) => {
      let edits: readonly Edit[];
      try {
        edits = parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
        expect((error as ConfigError).message).toMatch(/^--what-if: character \d+: [^\r\n]+$/);
        return;
      }
      expect(edits.length).toBeGreaterThan(0);
      // In its own spelling it is the same edit.
      const again = parse(edits.map((edit) => edit.text).join(','));
      expect(again.map(({ where: _, ...edit }) => edit)).toEqual(edits.map(({ where: _, ...edit }) => edit));
    }),
    { numRuns: 3000 },
  );
});
