/** The plans of one service that may still be applied, in the store, so that a restart between looking and applying loses
 *  none. A store that fails costs a plan its life beyond this process, no more. */

import type { ServiceId } from '../../../config/ids.ts';
import { decodePlan, encodePlan, type PublishPlan, planKey, plansPrefix } from '../../publish/plan.ts';
import type { Store } from '../../publish/store.ts';

export const plansMax = 20; // newest; each is a table

export class PlanShelf {
  readonly #store: Store;
  readonly #service: ServiceId;
  readonly #term: number;
  readonly #plans = new Map<string, PublishPlan>(); // oldest first

  private constructor(store: Store, service: ServiceId, term: number) {
    this.#store = store;
    this.#service = service;
    this.#term = term;
  }

  static async open(store: Store, service: ServiceId, term: number): Promise<PlanShelf> {
    const shelf = new PlanShelf(store, service, term);
    const plans: PublishPlan[] = [];
    for (const key of await store.list(plansPrefix(service))) {
      const found = await store.get(key);
      if (found.kind === 'found') plans.push(decodePlan(found.value));
    }
    plans.sort((a, b) => a.createdAtMs - b.createdAtMs);
    for (const plan of plans) shelf.#plans.set(plan.id, plan);
    return shelf;
  }

  /** Newest first. */
  get all(): readonly PublishPlan[] {
    return [...this.#plans.values()].reverse();
  }

  /** By id, or by its first digits where only one plan begins with them. */
  get(id: string): PublishPlan | null {
    const found = [...this.#plans.values()].filter(
      (plan) => plan.id === id || (id.length >= 4 && plan.id.startsWith(id)),
    );
    return found.length === 1 ? found[0]! : null;
  }

  /** Stored first and listed last: whoever reads of a plan finds it after a restart too, and what the caller says of it
   *  at once is said before anybody has seen it. */
  async keep(plan: PublishPlan): Promise<void> {
    const put = { term: this.#term, expected: 'any' } as const;
    await this.#store.put(planKey(this.#service, plan.id), encodePlan(plan), put).catch(() => null);
    await this.#drop([...this.#plans.keys()].slice(0, Math.max(0, this.#plans.size + 1 - plansMax)));
    this.#plans.set(plan.id, plan);
  }

  /** Forgets the plans that were made on other versions than the one in force; all but `except`. */
  async dropOthers(version: number, except: string | null): Promise<void> {
    const stale = [...this.#plans.values()].filter((plan) => plan.base.version !== version && plan.id !== except);
    await this.#drop(stale.map(({ id }) => id));
  }

  async #drop(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#plans.delete(id); // all at once: none is listed on a table that is no longer in force
    for (const id of ids) {
      await this.#store.delete(planKey(this.#service, id), this.#term).catch(() => null);
    }
  }
}
