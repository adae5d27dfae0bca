/** Whose a version is and why it came about, in the words that history tells: an epoch's, a plan's that somebody applied, or
 *  an earlier version's that was gone back to. */

import type { EpochPlan } from '../epoch/plan.ts';
import type { PublishPlan } from '../publish/plan.ts';
import type { Snapshot, VersionAbout } from '../publish/snapshot.ts';
import type { TreeMoved } from './epoch-summary.ts';

/** Who asks, and for what reason. */
export interface Asked {
  readonly author: string;
  readonly reason: string;
}

/** `passed`: to another tree in this epoch; null: nobody. */
export function aboutEpoch(
  epoch: number,
  { outcome, churn, relaxed }: EpochPlan,
  passed: TreeMoved | null,
  inputsSha256: string | null,
): VersionAbout {
  const moved = (churn.forced + churn.elective).toFixed(4);
  const gave = relaxed.length > 0 ? `, gave: ${relaxed.join(', ')}` : '';
  const users = passed ? `, ${passed.users} users to another tree` : '';
  const same = passed ? 'unchanged' : 'only who takes over from whom changes';
  const what = outcome === 'unchanged' ? same : `${outcome}, churn ${moved}`;
  const reason = `epoch ${epoch}: ${what}${users}${gave}`;
  return { cause: 'epoch', author: 'taiji', reason, inputsSha256, plan: null, restores: null };
}

export function aboutPlan(
  cause: 'plan' | 'canary' | 'promoted',
  plan: PublishPlan,
  { author, reason }: Asked,
): VersionAbout {
  return { author, reason, inputsSha256: plan.inputsSha256, plan: plan.checksum, restores: null, cause };
}

export function aboutVersion(
  cause: 'rollback' | 'returned',
  { inputsSha256, version }: Snapshot,
  { author, reason }: Asked,
): VersionAbout {
  return { author, reason, inputsSha256, plan: null, restores: version, cause };
}
