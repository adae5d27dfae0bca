/** Errors as RFC 9457 problem documents. `detail` says what was found and what is expected; never a stack. */

import { ConfigError } from '../../config/errors.ts';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly [more: string]: unknown; // what belongs to this problem
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Token required',
  403: 'Not yours to do',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Body too large',
  415: 'Unsupported media type',
  421: 'Unknown host',
  422: 'Not acceptable as stated',
  500: 'Defect in the control plane',
  503: 'Not available yet',
};

/** Thrown by routes, answered by the error handler. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly more: Readonly<Record<string, unknown>>; // members of the document besides the usual ones

  constructor(
    status: number,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
    more: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
    this.status = status;
    this.headers = headers;
    this.more = more;
  }
}

/** What people can mend, as a problem of that status. */
export function orProblem<T>(status: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ConfigError) throw new HttpProblem(status, error.message);
    throw error;
  }
}

export function problemOf(status: number, detail: string, more: Readonly<Record<string, unknown>> = {}): Problem {
  return { ...more, type: 'about:blank', title: titles[status] ?? 'Error', status, detail };
}
