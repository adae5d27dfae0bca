/** What holds a placement where it is, and what a little more of it would save. The row duals of the certified answer are
 *  put to the program with a little more of one limit: by weak duality they bound its minimum from below, and the bound
 *  is its minimum for as long as the same limits stay tight. So every figure is a saving of at most that much, exact for
 *  a small step, and no new solve is needed.
 *  Declined: the dual of a row times its step, by hand. A datacenter's capacity is in three rows and in the widths of
 *  the price's pieces, and whatever is added to the program later would have to be remembered here. */

import assert from 'node:assert/strict';
import type { DatacenterId, EdgeId } from '../config/ids.ts';
import { linearMsPerCost, squaredMsPerCost } from './costs.ts';
import { dualBound } from './lp/certify.ts';
import { type Model, totalLoad } from './model.ts';
import { type Formulation, formulate } from './placement.ts';
import type { SolveStep } from './solve.ts';

/** A limit that costs latency. `savesMs`: mean over all users, for `more` of it. */
export interface BindingLimit {
  readonly limit:
    | 'level'
    | 'utilizationMax'
    | 'capacity'
    | 'price'
    | 'onloadMax'
    | 'churnMax'
    | 'shareMax'
    | 'emergencyMax'
    | 'pin';
  readonly datacenter: DatacenterId | null;
  readonly edge: EdgeId | null;
  readonly value: number; // a utilization, or a share
  readonly more: '1 % more capacity' | '0.01 more' | '0.01 of its demand less' | '0.01 of its demand more';
  readonly savesMs: number;
}

/** One percent, of whatever it is a percent of. */
const percent = 0.01;

/** Less are the solver's last digits. */
const savesMsMin = 1e-6;
const priceMin = 1e-9;

/** The limits of all datacenters and of the service, and those of one edge. Dearest first. `ofService`: where they are
 *  known already; they are the same for every edge. */
export function bindingLimits(step: SolveStep, e: number, ofService = serviceLimits(step)): readonly BindingLimit[] {
  return [...ofService, ...pinLimits(step, e)]
    .filter(({ savesMs }) => savesMs > savesMsMin)
    .sort((a, b) => b.savesMs - a.savesMs);
}

/** A program is built for each: at 40 datacenters and 300 edges that takes a second, so ask once an epoch. */
export function serviceLimits(step: SolveStep): readonly BindingLimit[] {
  const { inputs, model, placement, service } = step;
  const { formulation } = placement;
  const { limits } = formulation;
  const wider = (values: ArrayLike<number>): number[] =>
    Array.from(values, (value, s) => (s === service ? value + percent : value));
  const found: BindingLimit[] = [];
  inputs.topology.datacenters.forEach(({ id: datacenter }, d) => {
    const kind = whatFills(step, d);
    if (kind === null) return;
    const capacity = model.capacity.map((units, k) => (k % model.datacenters === d ? units * (1 + percent) : units));
    const savesMs = savedMs(step, { ...model, capacity }, formulation);
    found.push({ ...kind, datacenter, edge: null, more: '1 % more capacity', savesMs });
  });
  if (limits) {
    const { onloadMax, churnMax } = limits;
    const saves = (more: typeof limits): number => savedMs(step, model, { ...formulation, limits: more });
    found.push(
      ofAll('onloadMax', onloadMax, saves({ ...limits, onloadMax: onloadMax + percent })),
      ofAll('churnMax', churnMax[service]!, saves({ ...limits, churnMax: wider(churnMax) })),
    );
  }
  if (model.shareMax[service]! < 1) {
    // Just under 1, where its rows would fall away and with them what the duals mean.
    const shareMax = Float64Array.from(wider(model.shareMax), (value) => Math.min(value, 1 - 1e-9));
    found.push(ofAll('shareMax', model.shareMax[service]!, savedMs(step, { ...model, shareMax }, formulation)));
  }
  if (Number.isFinite(model.emergencyMax)) {
    const emergencyMax = model.emergencyMax + percent;
    found.push(ofAll('emergencyMax', model.emergencyMax, savedMs(step, { ...model, emergencyMax }, formulation)));
  }
  return found;
}

function pinLimits(step: SolveStep, e: number): BindingLimit[] {
  const { inputs, model, placement, service } = step;
  const { topology } = inputs;
  const c = service * model.edges + e;
  const moved = (i: number, sign: 1 | -1): number => {
    const pinned = model.pinned.slice();
    pinned[i]! += sign * percent * model.load[c]!;
    return savedMs(step, { ...model, pinned }, placement.formulation);
  };
  return topology.datacenters.flatMap(({ id: datacenter }, d): BindingLimit[] => {
    const i = c * model.datacenters + d;
    if (Number.isNaN(model.pinned[i]!)) return [];
    const [less, more] = [moved(i, -1), moved(i, 1)];
    const way = less >= more ? '0.01 of its demand less' : '0.01 of its demand more';
    const value = model.pinned[i]! / model.load[c]!;
    return [{ limit: 'pin', datacenter, edge: topology.edges[e]!.id, value, more: way, savesMs: Math.max(less, more) }];
  });
}

function ofAll(limit: BindingLimit['limit'], value: number, savesMs: number): BindingLimit {
  return { limit, datacenter: null, edge: null, value, more: '0.01 more', savesMs };
}

/** Which of its rows has a price: its utilization is limited, or costs. Null: it has room. */
function whatFills({ inputs, model, placement }: SolveStep, d: number): Pick<BindingLimit, 'limit' | 'value'> | null {
  const { formulation, whole } = placement;
  const { layout, rowDuals } = whole();
  const { utilizationMax } = inputs.policy.spec;
  const isTight = (row: number): boolean => row >= 0 && rowDuals[row]! < -priceMin;
  const pools = Array.from({ length: model.resources }, (_, r) => r * model.datacenters + d);
  const full = pools.find((k) => isTight(layout.levelRow[k]!));
  if (full !== undefined) {
    const level = formulation.levelMax[full]!;
    if (level !== utilizationMax) return { limit: 'level', value: level };
    return { limit: utilizationMax === 1 ? 'capacity' : 'utilizationMax', value: level };
  }
  if (!pools.some((k) => isTight(layout.priceRow[k]!))) return null;
  return { limit: 'price', value: model.utilizationPrices[0]!.above };
}

function savedMs(step: SolveStep, changed: Model, formulation: Formulation): number {
  const { program } = formulate(changed, formulation);
  const { program: unchanged, rowDuals } = step.placement.whole();
  assert.equal(program.rowLower.length, rowDuals.length, 'a little more of a limit adds no row');
  const saved = dualBound(unchanged, rowDuals) - dualBound(program, rowDuals);
  return (saved / totalLoad) * msPerCost(step);
}

/** Under `balance` costs are squared ms; their slope at the mean, twice the mean, turns them into ms. */
function msPerCost(step: SolveStep): number {
  const isSquared = step.inputs.policy.spec.objective === 'balance';
  return isSquared ? squaredMsPerCost / (2 * Math.max(meanRttMs(step), 1e-3)) : linearMsPerCost;
}

/** Of all users, as placed by the step. */
export function meanRttMs({ inputs, model, placement }: SolveStep): number {
  const { rttMs } = inputs.topology;
  let sum = 0;
  for (let i = 0; i < model.base.length; i++) {
    sum +=
      (model.base[i]! + placement.placed[i]! + placement.gained[i]! - placement.left[i]!) * rttMs[i % rttMs.length]!;
  }
  return sum / totalLoad;
}
