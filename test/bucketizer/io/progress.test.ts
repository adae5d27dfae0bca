import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { progressBar, timeLeft } from '../../../bucketizer/io/progress.ts';

test('nothing is written where nobody watches, and nothing for work of a moment', async () => {
  for (const isTTY of [false, true]) {
    const stream = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
    const bar = await progressBar(stream);
    bar.show('read', 1, 2);
    bar.show('read', 2, 2);
    bar.stop();
    expect((stream as unknown as PassThrough).read()).toBeNull();
  }
});

test('Ctrl-C at any moment leaves a terminal with its cursor, and lines that wrap', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 }) as unknown as NodeJS.WriteStream;
  const bar = await progressBar(stream);
  vi.advanceTimersByTime(2000);
  bar.show('read', 1, 2);
  const shown = String((stream as unknown as PassThrough).read());
  bar.stop();
  expect(shown).toContain('50 %');
  expect(shown).not.toContain('\u001b[?25l'); // hides the cursor
  expect(shown).not.toContain('\u001b[?7l'); // cuts lines
});

test('time left is what is left at the pace so far', () => {
  expect(timeLeft(10_000, 20, 80)).toBe(', 40 s left');
  expect(timeLeft(10_000, 1, 99)).toBe(', 17 min left');
  expect(timeLeft(10_000, 0, 99)).toBe('');
  expect(timeLeft(10_000, 100, 0)).toBe('');
});
