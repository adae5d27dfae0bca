/** What is said of an error in one line. */

import { ConfigError } from '../../config/errors.ts';

/** Of what people can mend, memory among it; null: a defect, which shows where it is. */
export function complaintOf(error: unknown): string | null {
  if (error instanceof ConfigError) return error.message;
  if (!isOutOfMemory(error)) return null;
  return 'there is not enough memory; allow the process more of it (ulimit -v, the limit of its container), or use fewer --workers';
}

function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return (
    code === 'ERR_WORKER_OUT_OF_MEMORY' ||
    (error instanceof RangeError && /buffer allocation failed/.test(error.message))
  );
}
