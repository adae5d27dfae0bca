/** Trees that took over during a replay, each told in one entry: how long it took, whom it moved, what the fullest epoch
 *  moved by choice with them counted in, and whether friends are better off. */

import { mean } from './quantile.ts';

/** Of an epoch in which somebody passed to another tree. */
export interface ReportedTreeMove {
  readonly users: number; // whose bucket changed
  readonly churn: number; // share of demand that changed datacenter by it; not in the epoch's `churn`
  readonly share: number; // of all users, who go by the new tree
}

/** What of a reported epoch counts here. */
interface ToldEpoch {
  readonly time: string;
  readonly churn: { readonly elective: number };
  readonly connectionLocality: number;
  readonly treeMove?: ReportedTreeMove;
}

export interface TreeTakeover {
  readonly time: string; // its first epoch
  readonly until: string | null; // the epoch in which the last user passed; null: not within the replay
  readonly epochs: number; // in which somebody passed
  readonly users: number; // whose bucket changed
  readonly churn: number; // share of demand that changed datacenter by it, epoch after epoch
  readonly electiveMax: number; // most that moved by choice in one of these epochs, both ways together
  readonly connectionLocality: { readonly before: number; readonly after: number }; // means of the hour before and after
}

const epochsCompared = 12;

/** `epochs`: of the whole replay. */
export function takeoversOf(epochs: readonly ToldEpoch[]): readonly TreeTakeover[] {
  const takeovers: TreeTakeover[] = [];
  for (let i = 0; i < epochs.length; i++) {
    if (!epochs[i]!.treeMove) continue;
    const done = epochs.findIndex(({ treeMove }, k) => k >= i && treeMove?.share === 1);
    const end = done < 0 ? epochs.length - 1 : done;
    takeovers.push(takeover(epochs, i, end, done >= 0));
    i = end;
  }
  return takeovers;
}

function takeover(epochs: readonly ToldEpoch[], from: number, to: number, isDone: boolean): TreeTakeover {
  const moves = epochs.slice(from, to + 1).flatMap(({ treeMove, churn }) => (treeMove ? [{ treeMove, churn }] : []));
  const localityOf = (some: readonly ToldEpoch[]): number =>
    some.length === 0 ? 1 : mean(some.map(({ connectionLocality }) => connectionLocality));
  const tidy = (value: number): number => Math.round(value * 1e9) / 1e9;
  return {
    time: epochs[from]!.time,
    until: isDone ? epochs[to]!.time : null,
    epochs: moves.length,
    users: moves.reduce((sum, { treeMove }) => sum + treeMove.users, 0),
    churn: tidy(moves.reduce((sum, { treeMove }) => sum + treeMove.churn, 0)),
    electiveMax: tidy(moves.reduce((most, { treeMove, churn }) => Math.max(most, treeMove.churn + churn.elective), 0)),
    connectionLocality: {
      before: tidy(localityOf(epochs.slice(Math.max(0, from - epochsCompared), from))),
      after: tidy(localityOf(epochs.slice(to, to + epochsCompared))),
    },
  };
}
