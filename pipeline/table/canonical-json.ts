/** JSON with one spelling: keys sorted by code unit, no spaces. What is hashed or signed is spelled this way, so that
 *  equal values have equal bytes whoever wrote them (a subset of RFC 8785: our numbers are plain). */

import { strict as assert } from 'node:assert';
import { compareIds } from '../../config/ids.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** Keys whose value is undefined are left out. A number that is not finite is a defect. */
export function canonicalJson(value: Json): string {
  if (typeof value === 'number') assert(Number.isFinite(value), `not a JSON number: ${value}`);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort(compareIds)) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);
