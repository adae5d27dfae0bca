import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readWorld } from '../../../config/load.ts';
import { validateCommand } from '../../../pipeline/cli/validate.ts';
import { worldCommand } from '../../../pipeline/cli/world.ts';
import { scratchDirectory, smallWorld } from '../../config/small-world.ts';

/** Runs a command in this process; its output and exit code. */
async function run(command: ReturnType<typeof validateCommand>, ...args: string[]) {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const before = process.exitCode;
  onTestFinished(() => {
    process.exitCode = before;
  });
  process.exitCode = 0;
  try {
    await command.parseAsync(args, { from: 'user' });
    return {
      out: out.mock.calls.map(([text]) => text).join(''),
      err: err.mock.calls.map(([text]) => text).join(''),
      exitCode: process.exitCode,
    };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

function files(): { good: string; bad: string; intent: string; server: string; odd: string } {
  const dir = scratchDirectory();
  const write = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const head = 'apiVersion: taiji/v1\nkind: Policy\nmetadata: { service: web }\n';
  return {
    good: write('good.yaml', head),
    bad: write('bad.yaml', `${head}spec: { guards: { churnMax: 5 } }\n`),
    intent: write('intent.yaml', 'kind: drain\nid: d1\nauthor: ops\nreason: work\ndatacenter: dublin\n'),
    server: write(
      'server.yaml',
      'apiVersion: taiji/v1\nkind: Server\nspec: { dataDirectory: d, policy: p, tree: t, telemetry: { kind: world, dir: w } }\n',
    ),
    odd: write('odd.yaml', 'kind: Polcy\n'),
  };
}

test('worlds, policies, intents and server files are told apart and found good', async () => {
  const { good, intent, server } = files();
  const world = smallWorld();
  const { out, err, exitCode } = await run(validateCommand(), world, good, intent, server);
  expect(err).toBe('');
  expect(out.split('\n')).toEqual([
    `ok  world  ${world}`,
    `ok  policy  ${good}`,
    `ok  intent  ${intent}`,
    `ok  server  ${server}`,
    '',
  ]);
  expect(exitCode).toBe(0);
});

test('all files are looked at, each bad one has one line on stderr, and the exit code is 1', async () => {
  const { good, bad, odd } = files();
  const world = smallWorld({ 'users.csv': '' });
  const { out, err, exitCode } = await run(validateCommand(), bad, world, odd, 'absent.yaml', good);
  expect(out).toBe(`ok  policy  ${good}\n`);
  expect(err.trimEnd().split('\n')).toEqual([
    `${bad}:4: policy "web": spec.guards.churnMax is 5, expected 0..1; write 0.05 for 5 %`,
    `${world}/users.csv: the file is empty, expected the header user,home_edge,weight`,
    `${odd}:1: kind is "Polcy", expected Policy, Server, drain, shift, override, freeze (did you mean "Policy"?)`,
    'absent.yaml: cannot be read (no such file); check the name and its permissions',
  ]);
  expect(exitCode).toBe(1);
});

test('policies are held against the worlds beside them, whatever the order', async () => {
  const dir = scratchDirectory();
  const policy = join(dir, 'p.yaml');
  writeFileSync(
    policy,
    'apiVersion: taiji/v1\nkind: Policy\nmetadata: { service: web }\nspec: { allowed: [{ edge: fre, datacenters: [dublin] }] }\n',
  );
  const world = smallWorld();
  for (const args of [
    [policy, world],
    [world, policy],
    ['--world', world, policy],
  ]) {
    const { err, exitCode } = await run(validateCommand(), ...args);
    expect(err).toContain(
      'spec.allowed[0].edge names unknown edge "fre" (did you mean "fra"?); the topology has fra, nyc',
    );
    expect(exitCode).toBe(1);
  }
  expect((await run(validateCommand(), policy)).exitCode).toBe(0);
});

test('what is legal and surely not meant is a note', async () => {
  const world = smallWorld({
    'latency.csv': 'edge,datacenter,rtt_ms\nfra,ashburn,0.0925\nfra,dublin,25\nnyc,ashburn,8\nnyc,dublin,71\n',
    'demand.csv': 'time,fra,nyc\n2026-03-02T00:00:00Z,4000,100\n',
  });
  const { out, exitCode } = await run(validateCommand(), world);
  expect(out).toContain('note: rtt_ms of fra to ashburn is 0.0925, light needs 44 ms for the 6549 km; check unit');
  expect(out).toContain('note: demand at 2026-03-02T00:00:00Z is 4100 rps, more than all capacity, 1500 rps');
  expect(out).toContain('note: the event of dublin at 2026-03-02T00:05:00Z is outside the times of the demand');
  expect(exitCode).toBe(0);
});

test('-o json says the same to programs', async () => {
  const { good, bad } = files();
  const { out, exitCode } = await run(validateCommand(), '-o', 'json', good, bad);
  expect(JSON.parse(out)).toEqual([
    { file: good, kind: 'policy', ok: true, error: null, notes: [] },
    { file: bad, kind: null, ok: false, error: expect.stringContaining('churnMax is 5'), notes: [] },
  ]);
  expect(exitCode).toBe(1);
});

test('taiji world leaves another world alone, whoever made it, unless forced', async () => {
  const dir = join(scratchDirectory(), 'world');
  const small = ['--edges', '3', '--datacenters', '2', '--users', '50', '--days', '1', '--out', dir];
  const bytes = (): Buffer[] => readdirSync(dir).map((name) => readFileSync(join(dir, name)));
  await run(worldCommand(), ...small, '--seed', '9');
  const before = bytes();
  await run(worldCommand(), ...small, '--seed', '9'); // the same again is no change
  await expect(run(worldCommand(), ...small, '--seed', '8')).rejects.toThrow(
    /world: holds another world \(edges\.csv, .*friends\.csv\.gz\); choose an empty directory, or --force to replace it$/,
  );
  expect(bytes()).toEqual(before);
  writeFileSync(join(dir, 'resources.csv'), 'datacenter,resource,capacity\n'); // a generated world has none
  await expect(run(worldCommand(), ...small, '--seed', '9')).rejects.toThrow('(resources.csv)');
  await run(worldCommand(), ...small, '--seed', '8', '--force');
  expect(bytes()).toHaveLength(before.length);
  expect(bytes()).not.toEqual(before);
});

test('taiji world writes a world that reads back, and the same seed the same files', async () => {
  const dir = scratchDirectory();
  const args = ['--edges', '3', '--datacenters', '2', '--users', '50', '--days', '1', '--seed', '9'];
  const { out } = await run(worldCommand(), '--out', join(dir, 'a'), ...args);
  expect(out).toContain('3 edges, 2 datacenters, 288 times, 50 users');
  await run(worldCommand(), '--out', join(dir, 'b'), ...args);
  expect(readWorld(join(dir, 'a')).topology.edges).toHaveLength(3);
  for (const name of readdirSync(join(dir, 'a'))) {
    expect(readFileSync(join(dir, 'a', name)).equals(readFileSync(join(dir, 'b', name))), name).toBe(true);
  }
  await expect(run(worldCommand(), '--out', join(dir, 'c'), '--edges', '4.5')).rejects.toThrow(
    '--edges is "4.5", expected a whole number such as 42',
  );
});
