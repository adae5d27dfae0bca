/** Pools as they are before anything moves by choice, for whoever writes programs of them. */

import { bytes, doubles } from './lp/pieces.ts';
import { holdsAny, type Model } from './model.ts';
import { standingOf } from './standing.ts';

export interface PoolsNow {
  readonly staying: Float64Array; // [k] load of a pool if nothing moves by choice
  readonly reachable: Uint8Array; // [k] 1 where it may get more
}

/** By loads: an epoch asks for several programs, of models that differ in what may move. */
const poolsOf = new WeakMap<Model['base'], { readonly model: Model; readonly pools: PoolsNow }>();

export function poolsNow(model: Model): PoolsNow {
  const before = poolsOf.get(model.base);
  if (before && before.model.settled === model.settled && before.model.mayGain === model.mayGain) return before.pools;
  const pools = { staying: stayingIn(model), reachable: reachableIn(model) };
  poolsOf.set(model.base, { model, pools });
  return pools;
}

function stayingIn({ datacenters, resources, capacity, use, service, base, settled }: Model): Float64Array {
  const staying = doubles(capacity.length);
  const add = (i: number): void => {
    const c = Math.floor(i / datacenters);
    const load = base[i]! + settled[i]!;
    for (let r = 0, k = i - c * datacenters; r < resources; r++, k += datacenters)
      staying[k]! += use[service[c]! * resources + r]! * load;
  };
  if (holdsAny(settled)) for (let i = 0; i < base.length; i++) add(i);
  else for (const i of standingOf(base, datacenters).pairs) add(i);
  return staying;
}

function reachableIn({
  services,
  commodities,
  datacenters,
  resources,
  capacity,
  use,
  service,
  mayGain,
}: Model): Uint8Array {
  const isOpen = bytes(services * datacenters);
  let closed = isOpen.length;
  for (let c = 0, i = 0; c < commodities && closed > 0; c++) {
    for (let own = service[c]! * datacenters, end = own + datacenters; own < end; own++, i++) {
      if (mayGain[i] === 0 || isOpen[own] === 1) continue;
      isOpen[own] = 1;
      closed -= 1;
    }
  }
  return Uint8Array.from(capacity, (_, k) => {
    const [r, d] = [Math.floor(k / datacenters), k % datacenters];
    for (let s = 0; s < services; s++) if (isOpen[s * datacenters + d] === 1 && use[s * resources + r]! > 0) return 1;
    return 0;
  });
}
