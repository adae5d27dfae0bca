/** The example of a server config says every key, and the defaults truly. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { checked } from '../../../config/checked.ts';
import { parsePolicy } from '../../../config/policy.ts';
import { checkGroup, ticksOf } from '../../../config/policy-group.ts';
import { serverSchema, statedServices } from '../../../config/server.ts';

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

test('the example of several services is accepted, and its policies may be solved together', () => {
  const directory = new URL('../../../config/examples/services/', import.meta.url);
  const read = (name: string) => readFileSync(new URL(name, directory), 'utf8');
  const stated = statedServices(serverSchema.parse(parse(read('server.yaml'))).spec);
  expect(stated).toEqual(['web.yaml', 'chat.yaml'].map((policy) => ({ policy, tree: 'tree.taiji' })));
  const policies = stated.map(({ policy }) => parsePolicy(read(policy), policy));
  checkGroup(policies);
  expect(ticksOf(policies)).toEqual({ tickMs: 300_000, everyTicks: [1, 2] });
});

test('one policy or several services, each with a tree: anything else is refused with how to mend it', () => {
  const example = parse(text);
  const spec = (more: object) => ({ ...example, spec: { ...example.spec, ...more } });
  const two = [{ policy: 'a' }, { policy: 'b', tree: 'own' }];
  expect(statedServices(serverSchema.parse(spec({ policy: null, services: two })).spec)).toEqual([
    { policy: 'a', tree: 'tree.taiji' },
    { policy: 'b', tree: 'own' },
  ]);
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ policy: null }, /spec\.policy: no policy is given, expected the file of one; or several under services$/],
    [{ services: two }, /spec\.services: policy is given, too; move it here, or remove one of the two keys$/],
    [{ policy: null, tree: null, services: two }, /spec\.tree: no tree is given, expected/],
    [{ tree: null }, /spec\.tree: no tree is given, expected/],
  ];
  for (const [more, complaint] of cases) expect(() => checked(serverSchema, spec(more), 'server')).toThrow(complaint);
});

test('epochs of a group that are no multiples are refused, with both', () => {
  const policy = (service: string, epoch: string) =>
    parsePolicy(
      JSON.stringify({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service }, spec: { epoch } }),
      'p',
    );
  expect(() => ticksOf([policy('web', '7m'), policy('chat', '5m')])).toThrow(
    'policies "chat" and "web" draw on the same resources, but spec.epoch is 5m in one and 7m in the other; make the longer one a multiple of the shorter',
  );
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
