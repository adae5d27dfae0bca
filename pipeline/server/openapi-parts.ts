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
