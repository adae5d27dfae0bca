/** What publication of one service is doing, as a state machine that decides and does nothing. Its state lives in the head,
 *  so it changes in the same write as the version in force, and a restart goes on where it was.
 *
 *  - `open`: what an epoch plans is published, or offered where the policy asks for an approval.
 *  - `pinned`: somebody went back to an earlier version. Nothing moves by choice until somebody resumes, or the pin ends:
 *    the epoch after a rollback would otherwise plan the same bad table again. What cannot wait still moves.
 *  - `canary`: some edges have a new table, the others the one before; the others follow, or the first return.
 *
 *  Declined: a version that is different things at different edges until a flag is turned. A canary is a version of its
 *  own, whole, so that edges, history and rollback need not know of canaries. */

import { type CanaryLimits, type Evidence, type Verdict, verdictOf } from './canary.ts';

export type Rollout = { readonly kind: 'open' } | Pinned | Canary;

export interface Pinned {
  readonly kind: 'pinned';
  readonly version: number; // that was gone back to
  readonly author: string;
  readonly reason: string;
  readonly sinceMs: number; // wall clock, like all times here
  readonly untilMs: number | null; // null: until somebody resumes
}

export interface Canary {
  readonly kind: 'canary';
  readonly plan: string; // id of the plan that is being tried
  readonly base: number; // version to return to
  readonly version: number; // that the canary edges were given
  readonly edges: readonly string[];
  readonly author: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly untilMs: number; // when its time is over
  readonly limits: CanaryLimits;
  readonly evidence: Evidence;
  readonly undecided: string | null; // its time is over and nobody can say: why
}

export type RolloutEvent =
  | { readonly kind: 'rolled-back'; readonly pin: Omit<Pinned, 'kind' | 'sinceMs'> }
  | { readonly kind: 'resumed' }
  | { readonly kind: 'applied' } // a plan, at all edges
  | { readonly kind: 'tried'; readonly canary: Omit<Canary, 'kind' | 'sinceMs' | 'untilMs' | 'undecided'> }
  | { readonly kind: 'epoch'; readonly moved: boolean; readonly evidence: Evidence | null } // an epoch ended; `moved`: it could not wait
  | { readonly kind: 'promoted' }; // by somebody who did not wait for the verdict

/** `promote`: the canary's plan to all edges; `return`: the canary edges to what they had. The state after either has
 *  been published is `open` (or, after a return, `pinned`); until then it is still the canary, so that a crash repeats
 *  the verdict instead of losing it. */
export type RolloutCommand =
  | { readonly kind: 'promote'; readonly plan: string; readonly author: string; readonly reason: string }
  | { readonly kind: 'return'; readonly version: number; readonly reason: string; readonly after: Pinned }
  | { readonly kind: 'tell'; readonly message: string };

export interface RolloutStep {
  readonly state: Rollout;
  readonly commands: readonly RolloutCommand[];
}

export const open: Rollout = { kind: 'open' };

export function rolloutStep(state: Rollout, event: RolloutEvent, nowMs: number): RolloutStep {
  switch (event.kind) {
    case 'rolled-back':
      return told({ kind: 'pinned', ...event.pin, sinceMs: nowMs }, []);
    case 'resumed':
    case 'applied':
    case 'promoted':
      return told(open, []);
    case 'tried': {
      const { canary } = event;
      return told(
        { kind: 'canary', ...canary, sinceMs: nowMs, untilMs: nowMs + canary.limits.forMs, undecided: null },
        [],
      );
    }
    case 'epoch':
      return afterEpoch(state, event, nowMs);
  }
}

/** Why nothing moves by choice, or null where everything may. */
export function holdOf(state: Rollout, nowMs: number): { readonly author: string; readonly reason: string } | null {
  switch (state.kind) {
    case 'open':
      return null;
    case 'pinned': {
      if (state.untilMs !== null && nowMs >= state.untilMs) return null;
      return { author: state.author, reason: `held at version ${state.version} until resumed: ${state.reason}` };
    }
    case 'canary':
      return { author: state.author, reason: `version ${state.version} is tried at ${state.edges.join(', ')} first` };
  }
}

function afterEpoch(
  state: Rollout,
  { moved, evidence }: Extract<RolloutEvent, { kind: 'epoch' }>,
  nowMs: number,
): RolloutStep {
  if (state.kind === 'pinned') {
    const over = state.untilMs !== null && nowMs >= state.untilMs;
    return over
      ? told(open, [{ kind: 'tell', message: `the hold at version ${state.version} is over` }])
      : told(state, []);
  }
  if (state.kind !== 'canary') return told(state, []);
  if (moved) {
    // What the canary was compared with is gone; to move its edges back now would add to whatever is going on.
    const message = `the canary of version ${state.version} ended without a verdict: an epoch had to move users`;
    return told(open, [{ kind: 'tell', message }]);
  }
  const seen: Canary = { ...state, evidence: evidence ?? state.evidence };
  const verdict = verdictOf(seen.evidence, state.limits);
  switch (verdict.kind) {
    case 'bad':
      return told(seen, [returnOf(seen, verdict, nowMs)]);
    case 'good':
      if (nowMs < state.untilMs) return told({ ...seen, undecided: null }, []);
      return told({ ...seen, undecided: null }, [
        {
          kind: 'promote',
          plan: state.plan,
          author: state.author,
          reason: `${state.reason}; canary: ${verdict.detail}`,
        },
      ]);
    case 'unknown': {
      if (nowMs < state.untilMs) return told(seen, []);
      const detail = `version ${state.version} stays at ${state.edges.join(', ')} alone: ${verdict.detail}`;
      return told({ ...seen, undecided: detail }, []);
    }
  }
}

function returnOf(canary: Canary, { detail }: Verdict, nowMs: number): RolloutCommand {
  const reason = `canary: ${detail}`;
  const { base, version } = canary;
  const why = `version ${version} failed at ${canary.edges.join(', ')}: ${detail}`;
  return {
    kind: 'return',
    version: base,
    reason,
    after: { kind: 'pinned', version: base, author: 'taiji', reason: why, sinceMs: nowMs, untilMs: null },
  };
}

function told(state: Rollout, commands: readonly RolloutCommand[]): RolloutStep {
  return { state, commands };
}

/** A rollout as a head written by an older version has it: none. */
export function rolloutOf(stored: Rollout | undefined): Rollout {
  return stored ?? open;
}
