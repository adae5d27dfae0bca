/** Policies of services that draw on the same datacenters and are solved together: what they say of what they share has
 *  to be one thing. The rest (latency, residency, pins, churn, small shifts, the price of a move) is each one's own. */

import { ConfigError } from './errors.ts';
import type { Policy } from './policy.ts';

/** Throws a ConfigError naming the key and both values. */
export function checkGroup(policies: readonly Policy[]): void {
  const [first, ...others] = policies;
  if (!first) return;
  for (const other of others) {
    for (const [key, mine, theirs] of [...sharedKeys(first, other)]) {
      const [a, b] = [JSON.stringify(mine ?? null), JSON.stringify(theirs ?? null)];
      if (a === b) continue;
      throw new ConfigError(
        `policies "${first.metadata.service}" and "${other.metadata.service}" draw on the same resources, but spec.${key} is ${a} in one and ${b} in the other; make them the same`,
      );
    }
  }
}

/** Throws a ConfigError where two policies are for one service. */
export function checkDistinct(policies: readonly Policy[]): void {
  const seen = new Set<string>();
  for (const { metadata } of policies) {
    if (seen.has(metadata.service))
      throw new ConfigError(`two policies are for service "${metadata.service}"; give one`);
    seen.add(metadata.service);
  }
}

function* sharedKeys({ spec: a }: Policy, { spec: b }: Policy): Generator<[string, unknown, unknown]> {
  for (const key of ['objective', 'price', 'utilizationMax', 'emergencyMax'] as const) yield [key, a[key], b[key]];
  for (const key of ['balanceTolerance', 'onloadMax', 'holdDown'] as const) {
    yield [`guards.${key}`, a.guards[key], b.guards[key]];
  }
}
