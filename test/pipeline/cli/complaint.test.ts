import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { ConfigError } from '../../../config/errors.ts';
import { complaintOf } from '../../../pipeline/cli/complaint.ts';

test('what people can mend is a line, a defect is not', () => {
  expect(complaintOf(new ConfigError('x.csv: no such file'))).toBe('x.csv: no such file');
  expect(complaintOf(new RangeError('Invalid array length'))).toBeNull();
  expect(complaintOf('words')).toBeNull();
});

test('memory that is not there is told in a line, as the engine says it', () => {
  const more = (): ArrayBuffer => new ArrayBuffer(Number.MAX_SAFE_INTEGER);
  expect(more).toThrow(RangeError);
  expect(complaintOf(thrownBy(more))).toMatch(/^there is not enough memory; allow .*--workers$/);
});

test('and that of a thread', async () => {
  const program = 'const all = []; for (;;) all.push(new Array(1e4).fill(all.length));';
  const thread = new Worker(program, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8 } });
  const error = await new Promise((told) => thread.on('error', told));
  expect(complaintOf(error)).toMatch(/^there is not enough memory/);
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
}
