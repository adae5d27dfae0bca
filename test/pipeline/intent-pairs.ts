/** Every kind of intent in every scope and priority, small enough to try every pair. */

import { type Intent, intentSchema } from '../../config/intent.ts';

type Stated = Record<string, unknown> & { readonly kind: string };

const shapes: readonly Stated[] = [
  { kind: 'drain', datacenter: 'd0' },
  { kind: 'drain', datacenter: 'd0', keep: 0.5 },
  { kind: 'drain', datacenter: 'd1' },
  { kind: 'drain', datacenter: 'd0', edge: 'e0' },
  { kind: 'drain', datacenter: 'd1', edge: 'e1', keep: 0.5 },
  { kind: 'override', edge: 'e0', datacenter: 'd0', fraction: 0.7 },
  { kind: 'override', edge: 'e0', datacenter: 'd0', fraction: 0.2 },
  { kind: 'override', edge: 'e0', datacenter: 'd1', fraction: 0.5 },
  { kind: 'override', edge: 'e1', datacenter: 'd1', fraction: 0 },
  { kind: 'shift', edge: 'e0', from: 'd0', to: 'd1', fraction: 0.3 },
  { kind: 'shift', edge: 'e0', from: 'd1', to: 'd2', fraction: 0.1 },
  { kind: 'shift', from: 'd0', to: 'd2', fraction: 0.2 },
  { kind: 'freeze' },
  { kind: 'freeze', edge: 'e0' },
  { kind: 'freeze', datacenter: 'd1' },
];

export function intentOf(stated: Record<string, unknown>): Intent {
  return intentSchema.parse({ id: 'i', author: 'ann', reason: 'test', ...stated });
}

/** One of each shape at each priority. */
export function allIntents(priorities: readonly string[] = ['failure', 'drill', 'manual', 'taiji']): readonly Intent[] {
  return priorities.flatMap((priority) =>
    shapes.map((shape, n) => intentOf({ ...shape, id: `${priority}-${shape.kind}-${n}`, priority })),
  );
}

export function pairsOf<T>(all: readonly T[]): readonly (readonly [T, T])[] {
  return all.flatMap((a, i) => all.slice(i + 1).map((b) => [a, b] as const));
}
