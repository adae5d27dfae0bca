import { afterEach, expect, test, vi } from 'vitest';
import { ServerAway, ServerRefusal } from '../../../pipeline/cli/server-client.ts';
import { waitFor } from '../../../pipeline/cli/waiting.ts';

const told: string[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  told.length = 0;
});

function listen(): void {
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => told.push(String(text)) > 0);
}

test('progress is told once, however often it is looked at, and waiting ends when nothing is missing', async () => {
  listen();
  const looks = ['1 of 2', '1 of 2', '2 of 2'];
  await waitFor('1m', 'look there', async () => {
    const progress = looks.shift()!;
    return { progress, missing: looks.length > 0 ? 'no word from fra' : null };
  });
  expect(told).toEqual(['1 of 2\n', '2 of 2\n']);
});

test('who waits in vain is told what is missing and where to look', async () => {
  listen();
  const look = async () => ({ progress: '1 of 2', missing: 'no word from fra' });
  await expect(waitFor('1ms', 'look there', look)).rejects.toThrow('--wait: no word from fra within 1ms; look there');
});

test('a control plane that restarts meanwhile is waited for, and what it refuses is not', async () => {
  listen();
  const looks = [
    () => ({ progress: '1 of 2', missing: 'no word from fra' }),
    () => {
      throw new ServerAway('nobody answers there');
    },
    () => ({ progress: '2 of 2', missing: null }),
  ];
  await waitFor('1m', 'look there', async () => looks.shift()!());
  expect(told).toEqual(['1 of 2\n', 'nobody answers there\n', '2 of 2\n']);
  const refused = async () => {
    throw new ServerRefusal('no such service', 404, {});
  };
  await expect(waitFor('1m', 'look there', refused)).rejects.toThrow('no such service');
});
