/** Which of several things of a file is meant. */

import { didYouMean } from '../../config/did-you-mean.ts';
import { ConfigError } from '../../config/errors.ts';

/** The one asked for, or the only one. Throws a ConfigError that starts with `where` and lists them. */
export function oneOf<T>(known: ReadonlyMap<string, T>, asked: string | null, noun: string, where: string): T {
  const names = [...known.keys()];
  const name = asked ?? (names.length === 1 ? names[0]! : null);
  const listed = `${names.slice(0, 10).join(', ')}${names.length > 10 ? ` and ${names.length - 10} more` : ''}`;
  if (names.length === 0) throw new ConfigError(`${where}: no ${noun} in it`);
  if (name === null) throw new ConfigError(`${where}: has the ${noun}s ${listed}; name one with --cluster`);
  const found = known.get(name);
  if (found !== undefined) return found;
  throw new ConfigError(`${where}: no ${noun} "${name}"${didYouMean(name, names)}; it has ${listed}`);
}
