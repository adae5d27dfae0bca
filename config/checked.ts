/** A value checked against a schema, and what is wrong with it in one line that says where, what was found, what is
 *  expected and how to mend it. zod says what failed; ranges, choices and known keys are read from the JSON Schema of
 *  the same source, so that a complaint about the upper bound names the lower one too. */

import { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import { ConfigError, quoteStart } from './errors.ts';
import { parseYaml } from './yaml.ts';

/** Checks `text`, a YAML or JSON document. `subject` names the thing in complaints, from whatever was written. */
export function parseDocumentAs<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  where: string,
  subject: (value: unknown) => string,
): z.output<Schema> {
  const { value, lineOf } = parseYaml(text, where);
  return checked(schema, value, (path) => `${where}:${lineOf(path)}: ${subject(value)}`);
}

/** Checks a value. `where` gives the start of the complaint: a fixed name, or one made from the path to the trouble.
 *  Throws a ConfigError. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string | ((path: readonly PropertyKey[]) => string),
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  // A key nobody knows comes first: it is often the misspelt one whose absence is the next complaint.
  const issues = [...result.error.issues].sort((a, b) => unknownKeyFirst(a) - unknownKeyFirst(b));
  const issue = issues[0]!;
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0]!] : issue.path;
  const start = typeof where === 'string' ? where : where(path);
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  throw new ConfigError(`${start}: ${complaint(issue, value, knownSchemaOf(schema))}${more}`);
}

/** JSON Schema (2020-12) of what may be written: defaults are optional. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

/** Made once: whoever sends bad bodies should not cost milliseconds each. */
function knownSchemaOf(schema: z.ZodType): JsonSchema {
  const made = madeSchemas.get(schema) ?? jsonSchemaOf(schema);
  madeSchemas.set(schema, made);
  return made;
}

const madeSchemas = new WeakMap<z.ZodType, JsonSchema>();

/** The parts of JSON Schema that our sources produce. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema | false;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly prefixItems?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

function unknownKeyFirst(issue: z.core.$ZodIssue): number {
  return issue.code === 'unrecognized_keys' ? 0 : 1;
}

function complaint(issue: z.core.$ZodIssue, root: unknown, rootSchema: JsonSchema): string {
  const { value, schema } = walk(root, rootSchema, issue.path);
  const place = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schema?.properties ?? {});
    const key = issue.keys[0]!;
    const path = pathText([...issue.path, key]);
    const list = known.length > 0 ? `; expected ${known.join(', ')}` : '; remove it';
    return `unknown key ${path}${didYouMean(key, known)}${list}`;
  }
  if (issue.code === 'custom') return place === '' ? issue.message : `${place}: ${issue.message}`;
  const expected = schema === null ? issue.message : expectation(schema);
  const name = place === '' ? 'the document' : place;
  if (value === undefined) return `${name} is missing, expected ${expected}`;
  return `${name} is ${found(value)}, expected ${expected}${mend(value, schema)}`;
}

/** The value and the schema at `path`; of alternatives, the one whose `kind` (or other constant) fits the value. */
function walk(root: unknown, rootSchema: JsonSchema, path: readonly PropertyKey[]) {
  let value: unknown = root;
  let schema: JsonSchema | null = choose(rootSchema, root);
  for (const key of path) {
    let next: JsonSchema | null = null;
    if (typeof key === 'number') next = schema?.prefixItems?.[key] ?? (schema?.items || null);
    else if (schema?.properties !== undefined && Object.hasOwn(schema.properties, key))
      next = schema.properties[String(key)]!;
    else if (schema !== null) next = discriminator(schema, String(key));
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
    schema = next === null ? null : choose(next, value);
  }
  return { value, schema };
}

function choose(schema: JsonSchema, value: unknown): JsonSchema {
  if (schema.oneOf === undefined || typeof value !== 'object' || value === null) return schema;
  const fits = schema.oneOf.find((branch) =>
    Object.entries(branch.properties ?? {}).some(
      ([key, { const: only }]) => only !== undefined && Reflect.get(value, key) === only,
    ),
  );
  return fits ?? schema;
}

/** What a key of undecided alternatives may be: all their constants. */
function discriminator(schema: JsonSchema, key: string): JsonSchema | null {
  const choices = (schema.oneOf ?? [])
    .map((branch) => branch.properties?.[key]?.const)
    .filter((only) => only !== undefined);
  return choices.length === 0 ? null : { enum: choices };
}

function expectation(schema: JsonSchema): string {
  if (schema.const !== undefined) return found(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((item) => String(item)).join(' or ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    const kinds = [...new Set(alternatives.map(expectation))];
    return kinds.join(' or ');
  }
  switch (schema.type) {
    case 'number':
    case 'integer':
      return numberRange(schema);
    case 'string':
      if (schema.description !== undefined) return schema.description;
      if (schema.minLength !== undefined || schema.maxLength !== undefined) {
        return `text of ${schema.minLength ?? 0} to ${schema.maxLength ?? 'any number of'} letters`;
      }
      return 'text';
    case 'boolean':
      return 'true or false';
    case 'array':
      return listLength(schema);
    case 'object':
      return schema.properties === undefined ? 'a map' : `a map of ${Object.keys(schema.properties).join(', ')}`;
    case 'null':
      return 'null';
    default:
      return schema.description ?? 'another value';
  }
}

function listLength(schema: JsonSchema): string {
  const { minItems: min = 0, maxItems: max } = schema;
  if (min === max) return `a list of ${min}`;
  return min === 0 ? 'a list' : `a list of at least ${min}`;
}

function numberRange(schema: JsonSchema): string {
  // zod states the safe integers as bounds; nobody needs to read them.
  const min = schema.minimum === Number.MIN_SAFE_INTEGER ? undefined : schema.minimum;
  const max = schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum;
  const whole = schema.type === 'integer' ? 'a whole number ' : '';
  if (min !== undefined && max !== undefined) return `${whole}${min}..${max}`;
  const low =
    schema.exclusiveMinimum !== undefined
      ? `above ${schema.exclusiveMinimum}`
      : min !== undefined
        ? `at least ${min}`
        : '';
  const high =
    schema.exclusiveMaximum !== undefined
      ? `below ${schema.exclusiveMaximum}`
      : max !== undefined
        ? `at most ${max}`
        : '';
  const range = [low, high].filter((text) => text !== '').join(' and ');
  return `${whole === '' ? 'a number ' : whole}${range}`.trim();
}

function found(value: unknown): string {
  if (value === null) return 'empty';
  if (typeof value === 'string') return quoteStart(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  return String(value);
}

/** The value as it was probably meant: percent as a share, a quoted number bare, a unit the key already names. */
function mend(value: unknown, schema: JsonSchema | null): string {
  if (schema === null) return '';
  if (schema.enum !== undefined && typeof value === 'string') return didYouMean(value, schema.enum.map(String));
  const numeric = [schema, ...(schema.anyOf ?? [])].find((part) => part.type === 'number' || part.type === 'integer');
  if (numeric !== undefined) return mendNumber(value, numeric);
  if (schema.type === 'string' && schema.description?.startsWith('a duration') === true) return mendDuration(value);
  return '';
}

function mendNumber(value: unknown, schema: JsonSchema): string {
  const fits = (n: number): boolean =>
    Number.isFinite(n) &&
    n >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
    n > (schema.exclusiveMinimum ?? Number.NEGATIVE_INFINITY) &&
    n <= (schema.maximum ?? Number.POSITIVE_INFINITY);
  const isShare = schema.type === 'number' && schema.maximum !== undefined && schema.maximum <= 2;
  const percent = typeof value === 'number' ? value : Number(/^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(String(value))?.[1]);
  if (isShare && percent > schema.maximum! && percent <= 100 * schema.maximum! && fits(percent / 100)) {
    return `; write ${tidy(percent / 100)} for ${percent} %`;
  }
  if (typeof value !== 'string') return '';
  if (isShare && fits(percent / 100)) return `; write ${tidy(percent / 100)} for ${percent} %`;
  if (value.trim() !== '' && fits(Number(value))) return '; write it without quotes';
  const time = /^(\d+(?:\.\d+)?)\s*(ms|s)$/.exec(value.trim());
  if (time && !isShare)
    return `; write ${tidy(Number(time[1]) * (time[2] === 's' ? 1000 : 1))}, the key says milliseconds`;
  return '';
}

function mendDuration(value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return `; write ${value}s or ${value}m`;
  const parts = /^\s*(\d+)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)\s*$/i.exec(
    String(value),
  );
  if (!parts) return '';
  const unit = parts[2]!.toLowerCase();
  return `; write ${Number(parts[1])}${unit === 'ms' || unit.startsWith('milli') ? 'ms' : unit[0]}`;
}

function tidy(value: number): string {
  return String(Number(value.toPrecision(12)));
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${keyText(String(key))}`))
    .join('');
}

/** Keys from outside may hold anything, a line end too. */
function keyText(key: string): string {
  return /^[\w.-]{1,64}$/.test(key) ? key : found(key);
}
