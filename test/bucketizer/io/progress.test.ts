import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type ProgressBar, progressBar, timeLeft } from '../../../bucketizer/io/progress.ts';

/** On a terminal whose clock stands still; `seen` is what was drawn since it was last asked. */
async function watched(): Promise<{ bar: ProgressBar; seen: () => string }> {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const stream = new PassThrough();
  const bar = await progressBar(Object.assign(stream, { isTTY: true, columns: 80 }) as unknown as NodeJS.WriteStream);
  return { bar, seen: () => String(stream.read() ?? '') };
}

test('nothing is written where nobody watches, and nothing for work of a moment', async () => {
  for (const isTTY of [false, true]) {
    const stream = Object.assign(new PassThrough(), { isTTY }) as unknown as NodeJS.WriteStream;
    const bar = await progressBar(stream);
    bar.show('read', 1, 2);
    bar.show('read', 2, 2);
    bar.announce('audit', false);
    bar.stop();
    expect((stream as unknown as PassThrough).read()).toBeNull();
  }
});

test('Ctrl-C at any moment leaves a terminal with its cursor, and lines that wrap', async () => {
  const { bar, seen } = await watched();
  vi.advanceTimersByTime(2000);
  bar.show('read', 1, 2);
  const shown = seen();
  bar.stop();
  expect(shown).toContain('50 %');
  expect(shown).not.toContain('\u001b[?25l'); // hides the cursor
  expect(shown).not.toContain('\u001b[?7l'); // cuts lines
});

test('a stage is drawn as it begins: work that nothing interrupts does not go by the name of what is done', async () => {
  const { bar, seen } = await watched();
  vi.advanceTimersByTime(2000);
  bar.show('refine', 2, 2);
  expect(seen()).toMatch(/refine \[=+\] 100 %/);
  bar.announce('audit', false);
  const shown = seen();
  expect(shown).toContain('audit');
  expect(shown.slice(shown.indexOf('audit'))).not.toContain('%'); // nobody knows how far it is
  bar.stop();
});

test('what will take long is shown in the first second: by its size, or by its pace', async () => {
  const { bar, seen } = await watched();
  bar.show('read', 1, 1000);
  vi.advanceTimersByTime(200);
  bar.show('read', 200, 1000);
  expect(seen()).toBe('');
  vi.advanceTimersByTime(200);
  bar.show('read', 40, 1000);
  expect(seen()).toMatch(/read \[.*\] 4 %, 10 s left/);
  bar.stop();
  const next = await watched();
  next.bar.announce('audit', true);
  expect(next.seen()).toContain('audit');
  next.bar.stop();
});

test('of a pipe nobody knows how much is to come: no share is shown', async () => {
  const { bar, seen } = await watched();
  vi.advanceTimersByTime(2000);
  bar.show('read', 12e6, Number.NaN, ' 12 MB');
  const shown = seen();
  expect(shown).toContain('read 12 MB');
  expect(shown).not.toContain('%');
  bar.stop();
});

test('time left is what is left at the pace so far', () => {
  expect(timeLeft(10_000, 20, 80)).toBe(', 40 s left');
  expect(timeLeft(10_000, 1, 99)).toBe(', 17 min left');
  expect(timeLeft(10_000, 0, 99)).toBe('');
  expect(timeLeft(10_000, 100, 0)).toBe('');
});
