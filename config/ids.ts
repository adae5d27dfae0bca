/** Branded names, so that a swapped edge and datacenter do not compile, and the one order in which they are sorted. */

import { ConfigError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

export type EdgeId = Branded<string, 'EdgeId'>;
export type DatacenterId = Branded<string, 'DatacenterId'>;
export type ServiceId = Branded<string, 'ServiceId'>;

export const edgeId = (text: string, where: string): EdgeId => checkId(text, 'edge', where) as EdgeId;
export const datacenterId = (text: string, where: string): DatacenterId =>
  checkId(text, 'datacenter', where) as DatacenterId;
export const serviceId = (text: string, where: string): ServiceId => checkId(text, 'service', where) as ServiceId;

export const idPattern = /^[\p{L}\p{N}][\p{L}\p{N}._:-]{0,62}$/u;

/** By UTF-16 code unit: the same on every machine and Node version, which a locale sort is not. */
export function compareIds(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checkId(text: string, noun: string, where: string): string {
  const normal = text.normalize('NFC');
  if (!idPattern.test(normal)) {
    throw new ConfigError(
      `${where}: ${noun} ${JSON.stringify(text.slice(0, 80))} is not a name; use 1 to 63 letters, digits, ". _ : -"`,
    );
  }
  return normal;
}
