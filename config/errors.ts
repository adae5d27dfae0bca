/** The one error type people see: a single line saying where, what was found, and how to mend it.
 *  The command line prints `message` alone; everything else that is thrown is a defect and keeps its stack. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** `1 user`, `2 users`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Text from outside as complaints show it: quoted, and its start alone where it is long. */
export function quoteStart(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
