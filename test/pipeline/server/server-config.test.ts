/** The example of a server config says every key, and the defaults truly. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { checked } from '../../../config/checked.ts';
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

test('the Prometheus source of the operations guide is accepted, and what is no url of one is refused', () => {
  const guide = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const { telemetry } = parse(/```\n(telemetry:\n {2}kind: prometheus[\s\S]*?)```/.exec(guide)![1]!);
  const example = parse(text);
  const spec = (more: object) => ({ ...example, spec: { ...example.spec, telemetry: { ...telemetry, ...more } } });
  expect(serverSchema.parse(spec({})).spec.telemetry).toMatchObject({ kind: 'prometheus', timeout: '10s' });
  for (const url of ['localhost:9090', 'ftp://h', 'http://ann:secret@h:9090', '']) {
    expect(() => checked(serverSchema, spec({ url }), 'server'), url).toThrow(/telemetry\.url/);
  }
  expect(() => checked(serverSchema, spec({ queries: { demandRps: 'x' } }), 'server')).toThrow(
    /datacenterUp is missing/,
  );
});
