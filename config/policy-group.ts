/** Policies of services that draw on the same datacenters and are solved together: what they say of what they share has
 *  to be one thing. The rest (latency, residency, pins, churn, small shifts, the price of a move) is each one's own. */

import { durationMs } from './duration.ts';
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

/** When services that are solved together are due: a tick is the shortest of their epochs. */
export interface Ticks {
  readonly tickMs: number;
  readonly everyTicks: readonly number[]; // [s] ticks from one epoch of the service to its next
}

/** Throws a ConfigError where an epoch is no whole number of ticks: its service would be due at other times than stated. */
export function ticksOf(policies: readonly Policy[]): Ticks {
  const tickMs = Math.min(...policies.map(({ spec }) => durationMs(spec.epoch)));
  const everyTicks = policies.map(({ metadata, spec }) => {
    const ticks = durationMs(spec.epoch) / tickMs;
    if (Number.isInteger(ticks)) return ticks;
    const shortest = policies.find((policy) => durationMs(policy.spec.epoch) === tickMs)!;
    throw new ConfigError(
      `policies "${shortest.metadata.service}" and "${metadata.service}" draw on the same resources, but spec.epoch is ${shortest.spec.epoch} in one and ${spec.epoch} in the other; make the longer one a multiple of the shorter`,
    );
  });
  return { tickMs, everyTicks };
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
