/** What a bench prints: a promise beside what was measured. */

export interface Figure {
  readonly what: string;
  readonly measured: string;
  readonly limit: string; // '' where the figure is told, not promised
  readonly holds: boolean;
}

export function atMost(what: string, measured: number, limit: number, digits: number): Figure {
  return { what, measured: measured.toFixed(digits), limit: `at most ${limit}`, holds: measured <= limit };
}

export function told(what: string, measured: string): Figure {
  return { what, measured, limit: '', holds: true };
}
