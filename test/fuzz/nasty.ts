/** Values nobody means and somebody will send, and a document spoiled at one place by one of them. */

import fc from 'fast-check';

/** As JavaScript has them. Text of numbers among them: people quote, monitors say `+Inf`. */
export const nastyValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  0.5,
  1,
  1.0000000001,
  2,
  1e-300,
  5e-324,
  1e300,
  1.7976931348623157e308,
  Number.MAX_SAFE_INTEGER,
  Number.MAX_SAFE_INTEGER + 2,
  -1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  '',
  ' ',
  '0',
  '-1',
  '1e309',
  'NaN',
  'Infinity',
  '+Inf',
  '0x10',
  '1_000',
  '5m',
  '0s',
  '99999999999999999999d',
  '2026-02-30T00:00:00Z',
  '2026-03-02T00:00:00+01:00',
  '+275760-09-13T00:00:00Z',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(3000),
  'a\u0000b',
  'a\nb',
  '\u202egnp.exe',
  '\ud800',
  '💩',
  'e\u0301',
  [],
  [null],
  [[]],
  [[[[[[]]]]]],
  Array.from({ length: 200 }, () => 0),
  [1e300, -1e300],
  {},
  { a: {} },
  { kind: 'x' },
  Object.defineProperty({}, '__proto__', { value: 1, enumerable: true }),
  nested(60),
];

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = { a: value };
  return value;
}

export const anyNasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...nastyValues),
  fc.double(),
  fc.integer(),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.jsonValue({ maxDepth: 4 }),
);

/** The same runs every time, so that a change is to blame for what fails; other ones by TAIJI_FUZZ_SEED. */
export function runs(numRuns: number): { readonly numRuns: number; readonly seed: number } {
  return {
    numRuns: numRuns * Number(process.env['TAIJI_FUZZ_TIMES'] ?? 1),
    seed: Number(process.env['TAIJI_FUZZ_SEED'] ?? 1),
  };
}

export type Path = readonly (string | number)[];

/** Of every value in `document`, groups and lists too, but for the whole. */
export function pathsOf(document: unknown, at: Path = []): Path[] {
  if (typeof document !== 'object' || document === null) return [];
  const keys = Array.isArray(document) ? [...document.keys()] : Object.keys(document);
  return keys.flatMap((key) => {
    const path = [...at, key];
    return [path, ...pathsOf(Reflect.get(document, key), path)];
  });
}

/** A copy with `value` at `path`; undefined: without what is there. */
export function spoiled(document: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const copy: object = Array.isArray(document) ? [...document] : { ...(document as object) };
  if (rest.length === 0 && value === undefined) Reflect.deleteProperty(copy, key);
  else Reflect.set(copy, key, spoiled(Reflect.get(copy, key), rest, value));
  return copy;
}

/** Text of a document that holds any of them: JSON has no NaN and no infinity, YAML has. */
export function yamlOf(value: unknown): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf';
  }
  if (Object.is(value, -0)) return '-0';
  if (Array.isArray(value)) return `[${value.map(yamlOf).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, inner]) => `${JSON.stringify(key)}: ${yamlOf(inner)}`)
      .join(', ')}}`;
  }
  return JSON.stringify(value);
}
