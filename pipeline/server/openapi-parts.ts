/** What schemas of the OpenAPI document are made of. */

export type Plain = Readonly<Record<string, unknown>>;

export const text: Plain = { type: 'string' };
export const number: Plain = { type: 'number' };
export const share: Plain = { type: 'number', minimum: 0, maximum: 1 };
export const sha256: Plain = { type: 'string', pattern: '^[0-9a-f]{64}$' };
export const time: Plain = { type: 'string', format: 'date-time' };
export const byDatacenter: Plain = { type: 'object', additionalProperties: number };

/** All of it required. */
export function object(properties: Plain): Plain {
  return { type: 'object', properties, required: Object.keys(properties) };
}

export const nullable = (schema: Plain): Plain => ({ ...schema, type: [schema['type'], 'null'] });

/** An answer. */
export function json(schema: Plain, description: string): Plain {
  return { description, content: { 'application/json': { schema } } };
}

/** A request's. */
export function body(schema: object): Plain {
  return { required: true, content: { 'application/json': { schema } } };
}

export function problems(...codes: readonly number[]): Plain {
  return Object.fromEntries(codes.map((code) => [code, { $ref: '#/components/responses/problem' }]));
}

/** To a schema of the document. */
export function reference(name: string): Plain {
  return { $ref: `#/components/schemas/${name}` };
}

export const service: Plain = { name: 'service', in: 'path', required: true, schema: text };
