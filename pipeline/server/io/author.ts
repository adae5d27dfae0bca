/** Who writes: the name of the token a request bears, or where the token has none, what the request itself says. */

import type { Response } from 'express';
import { HttpProblem } from '../problem.ts';
import type { Bearer } from './secrets.ts';

const key = 'bearer';

export function noteBearer(response: Response, bearer: Bearer): void {
  response.locals[key] = bearer;
}

/** `stated`: the author a request names; undefined: none. Throws a 422 where nobody is named, and a 403 where somebody
 *  signs with another's name. */
export function authorOf(response: Response, stated: unknown): string {
  const { name } = response.locals[key] as Bearer;
  if (name === null) {
    if (typeof stated === 'string' && stated !== '') return stated;
    throw new HttpProblem(422, 'author is missing, expected whose wish it is; or a token with a name');
  }
  if (stated === undefined || stated === name) return name;
  throw new HttpProblem(
    403,
    `author is ${JSON.stringify(stated).slice(0, 80)}, but the token is ${name}'s; leave author out`,
  );
}

/** Who asks, where nobody has to say so; null: the token has no name. */
export function bearerName(response: Response): string | null {
  return (response.locals[key] as Bearer).name;
}
