/** In whose name something is asked of a control plane. A token with a name speaks for itself and refuses another's; one
 *  without needs to be told, and nobody has to know which one it is. */

import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { type ServerFlags, ServerRefusal, tellServer } from './server-client.ts';

export interface AuthorFlags extends ServerFlags {
  readonly author?: string;
}

export function authorOption(command: Command): Command {
  return command.option('--author <name>', 'whose wish it is, where the token has no name; default: you');
}

/** Posts in the name given, or the token's, or where that has none in that of whoever is logged in. */
export async function tellAs(flags: AuthorFlags, path: string, asked: object): Promise<unknown> {
  const { author } = flags;
  try {
    return (await tellServer(flags, 'POST', path, author === undefined ? asked : { ...asked, author })).body;
  } catch (error) {
    const unnamed =
      error instanceof ServerRefusal && error.status === 422 && error.message.startsWith('author is missing');
    const user = unnamed && author === undefined ? loggedIn() : null;
    if (user === null) throw error;
    return (await tellServer(flags, 'POST', path, { ...asked, author: user })).body;
  }
}

/** Null where nobody says: a container may run under a number without a name. */
export function loggedIn(): string | null {
  const named = process.env['USER'] ?? process.env['LOGNAME'];
  if (named) return named;
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
