/** Rejects where `answer` is not there within `deadlineMs`. A late answer, good or bad, is dropped. */
export function inTime<T>(answer: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer from ${what} within ${deadlineMs} ms`)), deadlineMs);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
