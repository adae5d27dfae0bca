import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { demoCommand } from '../../../pipeline/cli/demo.ts';
import { scratchDirectory } from '../../config/small-world.ts';

async function demo(...args: string[]): Promise<string[]> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const before = process.exitCode;
  onTestFinished(() => {
    process.exitCode = before;
  });
  try {
    await demoCommand().parseAsync(args, { from: 'user' });
    expect(process.exitCode).toBe(0);
    return out.mock.calls.map(([text]) => String(text).trimEnd());
  } finally {
    out.mockRestore();
  }
}

test('a demo with an end drains a datacenter, brings it back and ends by itself', async () => {
  const dir = join(scratchDirectory(), 'demo');
  const lines = await demo('--epochs', '9', '--users', '2000', '--pace', '100ms', '--port', '0', '--dir', dir);
  const epochs = lines.filter((line) => /^\d{4}-\d\d-\d\dT/.test(line));
  expect(epochs).toHaveLength(9);
  expect(epochs[0]).toMatch(
    /^2026-03-02T00:05:00Z {2}initial +highest 0\.\d{3} \w+ +churn 0\.0000 forced 0\.0000 elective/,
  );
  const forced = epochs.map((line) => Number(/churn (\d\.\d+) forced/.exec(line)![1]));
  const minimum = epochs.map((line) => Number(/minimum (\d\.\d+)/.exec(line)![1]));
  expect(Math.max(...forced)).toBeGreaterThan(0.05);
  expect(Math.max(...minimum)).toBeGreaterThan(0.05);
  const drained = lines.findIndex((line) => line.startsWith('-- drain '));
  expect(lines.findIndex((line) => line.startsWith('-- undrain '))).toBeGreaterThan(drained);
  expect(lines.at(-1)).toMatch(/^epochs {3}9: 1 initial, .*\n.*\n.*\ndrain {4}\w+ was emptied$/s);
  expect(lines.find((line) => line.startsWith('page'))).toMatch(/^page {5}http:\/\/127\.0\.0\.1:\d+\/$/);

  // What is left runs on with `taiji serve`.
  expect(readdirSync(dir).sort()).toEqual(['data', 'log.jsonl', 'policy.yaml', 'server.yaml', 'tree', 'world']);
  expect(readFileSync(join(dir, 'server.yaml'), 'utf8')).toContain('kind: Server');
});

test('a demo in a temporary directory leaves nothing behind', async () => {
  const temporary = scratchDirectory();
  vi.stubEnv('TMPDIR', temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  const lines = await demo('--epochs', '1', '--users', '300', '--pace', '50ms', '--port', '0');
  expect(lines.at(-1)).toMatch(/^epochs {3}1: 1 initial\n.*drain {4}none, for want of epochs$/s);
  expect(readdirSync(temporary)).toEqual([]);
});

test.each([
  [['--epochs', '0'], '--epochs is "0", expected a whole number, 1..1000000'],
  [['--port', '70000'], '--port is "70000", expected a whole number, 0..65535'],
  [['--pace', '1 s'], '--pace is "1 s", expected a duration such as 250ms or 2s'],
])('%s is refused', async (args, expected) => {
  await expect(demo(...args)).rejects.toThrow(expected);
});
