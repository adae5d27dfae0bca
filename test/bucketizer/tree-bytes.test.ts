import { expect, test } from 'vitest';
import { decodeTree, encodeTree, sealTree } from '../../bucketizer/tree-bytes.ts';

const contents = {
  height: 2,
  users: ['', 'a,"b"', 'Zoë', '\ufeffbom', '名前', '😀'],
  bucketOfUser: Uint32Array.of(3, 0, 1, 1, 2, 0),
  bucketWeight: Float64Array.of(0, 127, 128, 2 ** 53 - 1),
  quotient: {
    rowStart: Uint32Array.of(0, 2, 3, 4, 4),
    neighbour: Uint32Array.of(1, 2, 0, 0),
    weight: Float64Array.of(2 ** 40 + 1, 5, 2 ** 40 + 1, 5),
  },
};

test('a tree survives its bytes: odd ids, integers up to 2^53, empty rows', () => {
  expect(decodeTree(encodeTree(contents))).toEqual(contents);
});

test('the version is of the contents: any change changes it', () => {
  const { version } = sealTree(contents);
  expect(version).toMatch(/^[0-9a-f]{64}$/);
  expect(sealTree({ ...contents }).version).toBe(version);
  expect(sealTree({ ...contents, bucketOfUser: Uint32Array.of(3, 0, 1, 1, 2, 1) }).version).not.toBe(version);
  expect(sealTree({ ...contents, users: ['', 'a,"b"', 'Zoë', '\ufeffbom', '名前', '😁'] }).version).not.toBe(version);
});

test('a weight that is no integer has no place in a tree', () => {
  expect(() => encodeTree({ ...contents, bucketWeight: Float64Array.of(0.5, 0, 0, 0) })).toThrow('integers');
  expect(() => encodeTree({ ...contents, bucketWeight: Float64Array.of(Number.NaN, 0, 0, 0) })).toThrow('integers');
});
