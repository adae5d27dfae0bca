/** A request's JSON, checked against what its route expects. */

import type { Request } from 'express';
import { HttpProblem, orProblem } from '../problem.ts';

/** Throws a 415 or 422. */
export function readBody<T>(request: Request, where: string, check: (value: unknown, where: string) => T): T {
  if (!request.is('application/json')) throw new HttpProblem(415, 'expected Content-Type: application/json');
  return orProblem(422, () => check(request.body, where));
}
