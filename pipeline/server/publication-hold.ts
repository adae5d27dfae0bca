/** How publication holds back what an epoch would move by choice: an intent among those it is planned on, so that the
 *  journal has it and a replay is held alike. It holds Taiji's own moves: what operators ask for by a shift or an override
 *  comes before it. */

import type { ServiceId } from '../../config/ids.ts';
import type { Intent } from '../../config/intent.ts';
import type { Policy } from '../../config/policy.ts';
import type { EpochInputs } from '../epoch/inputs.ts';
import { holdOf, type Rollout } from '../publish/rollout.ts';

const holdId = 'publication-hold';

/** Null where all may move: neither does the rollout hold anything, nor is what is proposed reviewed first. */
export function holdIntent(
  service: ServiceId,
  { spec: { canary } }: Policy,
  rollout: Rollout,
  isReviewed: boolean,
  nowMs: number,
): Intent | null {
  const held = holdOf(rollout, nowMs);
  const waits = canary ? `plans are tried at ${canary.edges.join(', ')} first` : 'plans wait for an approval';
  const said = held ?? (isReviewed ? { author: 'the policy', reason: waits } : null);
  return said && { kind: 'freeze', id: holdId, ...said, priority: 'taiji', service, until: null };
}

export function withoutHold(inputs: EpochInputs): EpochInputs {
  return { ...inputs, intents: inputs.intents.filter(({ id }) => id !== holdId) };
}
