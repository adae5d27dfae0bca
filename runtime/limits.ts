/** The limits of a policy, in the order in which they give, and which of them a placement breaks. */

import type { Policy } from '../config/policy.ts';
import { utilizationWithout } from './emergency.ts';
import { hasAny, isHeldDown, type Model, totalLoad } from './model.ts';
import { beyondP95Max, type Placement } from './placement.ts';

/** In the order in which they give, the first last. */
export const limitOrder = [
  'datacenterState',
  'capacity',
  'latencyMsMax',
  'holdDown',
  'latencyMsP95Max',
  'utilizationMax',
  'emergencyMax',
  'pins',
  'shareMax',
  'onloadMax',
  'churnMax',
] as const;
export type Limit = (typeof limitOrder)[number];

/** Each once. */
export function inOrder(limits: readonly Limit[]): readonly Limit[] {
  return limitOrder.filter((limit) => limits.includes(limit));
}

/** Less than this share of all load is the solver's last digits, not a want. */
export const nothing = 1e-6;

/** More utilization than this over a limit breaks it. */
const overMuch = 1e-5;

/** What a limit broken now has to win by a solve for the solve to be a mend. */
export const mendMin = 0.005;

/** Limits of service `s` that a placement breaks. `levels`: the lowest utilizations without guards. `want`: it is what is
 *  wanted without guards, and has to answer for what is broken already; else that is on its way back. */
export function brokenBy(
  model: Model,
  levels: Float64Array,
  placement: Placement | null,
  s: number,
  { spec }: Policy,
  of: 'want' | 'step',
): readonly Limit[] {
  const highest = Math.max(...levels);
  const { datacenters, mayGain, tooFar, heldDown, pinned, still, base, load } = model;
  const pairs = model.edges * datacenters;
  const [from, to] = [s * pairs, (s + 1) * pairs];
  const much = nothing * totalLoad;
  const any = (isBroken: (i: number, c: number) => boolean): boolean => {
    for (let i = from; i < to; i++) if (isBroken(i, Math.floor(i / datacenters))) return true;
    return false;
  };
  const broken: Limit[] = model.stuck.some((c) => model.service[c]! === s) ? ['datacenterState'] : [];
  if (highest > 1 + overMuch) broken.push('capacity');
  if (highest > spec.utilizationMax + overMuch && spec.utilizationMax < 1) broken.push('utilizationMax');
  if (!placement) return inOrder(broken);
  const { gained, placed } = placement;
  const at = (i: number): number => loadAt(model, placement, i);
  const arriving = (i: number): number => gained[i]! + placed[i]!;
  const counted = (i: number, c: number): number => (of === 'want' && still[c] === 0 ? at(i) : arriving(i));
  if (hasAny(tooFar) && any((i, c) => tooFar[i] === 1 && counted(i, c) > much)) broken.push('latencyMsMax');
  if (hasAny(heldDown) && any((i) => isHeldDown(model, i) && arriving(i) > much)) broken.push('holdDown');
  if (hasAny(model.beyondP95) && farLoad(model, at).some((over, c) => model.service[c]! === s && over > much))
    broken.push('latencyMsP95Max');
  if (emergencyExcess(model, at) > overMuch) broken.push('emergencyMax');
  const missed = (i: number, c: number): boolean => {
    const miss = Math.abs(at(i) - pinned[i]!);
    return miss > much && ((of === 'want' && still[c] === 0) || miss > Math.abs(base[i]! - pinned[i]!) + much);
  };
  if (model.hasPins && any(missed)) broken.push('pins');
  const shareMax = model.shareMax[s]!;
  const tooLarge = (i: number, c: number): boolean => {
    const stays = of === 'want' && still[c] === 0 && mayGain[i] === 1 ? 0 : base[i]!;
    return at(i) - Math.max(stays, shareMax * load[c]!) > much;
  };
  if (shareMax < 1 && any(tooLarge)) broken.push('shareMax');
  return inOrder(broken);
}

/** Is a limit broken now, if nothing moves by choice, that only the want itself mends: too full after a loss, or too far or
 *  off its pin by more than whole buckets explain? */
export function isMisplaced(model: Model, want: Placement): boolean {
  const staying = (i: number): number => model.base[i]!;
  const wanted = (i: number): number => loadAt(model, want, i);
  if (emergencyExcess(model, staying) > emergencyExcess(model, wanted) + mendMin) return true;
  if (hasAny(model.beyondP95)) {
    const left = farLoad(model, wanted);
    if (farLoad(model, staying).some((over, c) => over - left[c]! > 0.01 * model.load[c]!)) return true;
  }
  if (!model.hasPins && !hasAny(model.tooFar)) return false;
  return model.base.some((load, i) => {
    const much = 0.01 * model.load[Math.floor(i / model.datacenters)]!;
    const miss = (at: number): number => Math.abs(at - model.pinned[i]!);
    return (model.tooFar[i] === 1 && load - wanted(i) > much) || miss(load) - miss(wanted(i)) > much;
  });
}

/** [i = c * D + d] load a table places there. */
export function loadAt({ base }: Model, { placed, gained, left }: Placement, i: number): number {
  return base[i]! + placed[i]! + gained[i]! - left[i]!;
}

/** [k] utilization of the pools under load [c * D + d], with what is settled on top. */
export function utilizations(model: Model, load: (i: number) => number): Float64Array {
  const { datacenters, resources, capacity, use, settled } = model;
  const utilization = new Float64Array(capacity.length);
  for (let i = 0; i < settled.length; i++) {
    const s = model.service[Math.floor(i / datacenters)]!;
    for (let r = 0; r < resources; r++) {
      const k = r * datacenters + (i % datacenters);
      if (capacity[k]! > 0) utilization[k]! += ((load(i) + settled[i]!) * use[s * resources + r]!) / capacity[k]!;
    }
  }
  return utilization;
}

/** By how much the worst loss of a datacenter would lift another over emergencyMax; 0 where none does. */
export function emergencyExcess(model: Model, load: (i: number) => number): number {
  if (!Number.isFinite(model.emergencyMax)) return 0;
  let highest = 0;
  for (let lost = 0; lost < model.datacenters; lost++) {
    highest = Math.max(highest, ...utilizationWithout(model, (i) => load(i) + model.settled[i]!, lost));
  }
  return Math.max(0, highest - model.emergencyMax);
}

/** [c] load beyond latencyMsP95Max that is more than the twentieth. */
function farLoad({ beyondP95, datacenters, load }: Model, at: (i: number) => number): Float64Array {
  const over = new Float64Array(load.length);
  for (let i = 0; i < beyondP95.length; i++) if (beyondP95[i] === 1) over[Math.floor(i / datacenters)]! += at(i);
  return over.map((far, c) => (far > 0 ? Math.max(0, far - beyondP95Max * load[c]!) : 0));
}
