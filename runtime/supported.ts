/** What a policy may ask for and this version cannot do yet is refused where the policy is read, not quietly ignored
 *  while traffic moves. */

import { ConfigError } from '../config/errors.ts';
import type { Policy } from '../config/policy.ts';

/** Throws a ConfigError naming the key. */
export function checkSupported(policy: Policy): void {
  const { spec } = policy;
  const refuse = (key: string, found: unknown, write: string): never => {
    throw new ConfigError(
      `policy "${policy.metadata.service}": spec.${key} is ${JSON.stringify(found)}, which this version cannot do yet; ${write}`,
    );
  };
  if (spec.buckets.localityBudget !== 0) refuse('buckets.localityBudget', spec.buckets.localityBudget, 'write 0');
}
