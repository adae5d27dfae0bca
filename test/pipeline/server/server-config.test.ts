/** The example of a server config says every key, and the defaults truly. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { serverSchema } from '../../../config/server.ts';

const text = readFileSync(new URL('../../../config/examples/server.yaml', import.meta.url), 'utf8');

test('what the example shows as defaults are the defaults', () => {
  const example = parse(text);
  const { dataDirectory, policy, tree, telemetry } = example.spec;
  const least = { ...example, spec: { dataDirectory, policy, tree, telemetry: { kind: 'world', dir: telemetry.dir } } };
  expect(serverSchema.parse(example)).toEqual(serverSchema.parse(least));
});

test('the example shows every key', () => {
  const example = parse(text).spec;
  const spec = serverSchema.shape.spec.shape;
  expect(Object.keys(spec).filter((key) => !(key in example))).toEqual([]);
  expect(Object.keys(example.journal)).toEqual(['epochsPerFile', 'bytesPerFile', 'filesKept']);
  expect(Object.keys(example.telemetry)).toEqual(['kind', 'dir', 'from', 'repeat']);
});

test('the live source that the example shows in comments is accepted, and its limits are the defaults', () => {
  const example = parse(text);
  const block = /# kind: push[\s\S]*?(?=\n {2}\w)/.exec(text)![0].replaceAll(/^ *# /gm, '').replace(/^# /, '');
  const shown = parse(block);
  const live = (telemetry: unknown) => serverSchema.parse({ ...example, spec: { ...example.spec, telemetry } });
  expect(Object.keys(shown)).toEqual(['kind', 'topology', 'limits']);
  expect(live(shown)).toEqual(live({ kind: 'push', topology: shown.topology }));
});
