/** The routing of another source, with bucket weights as edges count them. */

import type { EpochInputs } from '../epoch/inputs.ts';
import type { BucketWeights } from '../table/bucket-weights.ts';
import type { Routing } from '../table/tree-course.ts';
import type { BucketCounts } from './bucket-counts.ts';
import type { ProposedRouting, RoutingSource } from './routing-source.ts';

export class CountedRouting implements RoutingSource {
  readonly #inner: RoutingSource;
  readonly #counts: BucketCounts;
  readonly #nowMs: () => number;
  #prior: BucketWeights; // the inner source's, in force
  #routing: Routing;
  #asked: { readonly inner: ProposedRouting; readonly proposed: ProposedRouting } | null = null;

  constructor(inner: RoutingSource, counts: BucketCounts, nowMs: () => number) {
    this.#inner = inner;
    this.#counts = counts;
    this.#nowMs = nowMs;
    this.#routing = inner.routing;
    this.#prior = inner.routing.weights;
  }

  get routing(): Routing {
    return this.#routing;
  }

  propose(inputs: EpochInputs): ProposedRouting {
    const inner = this.#inner.propose(inputs);
    const { tree, weights: prior } = inner.routing;
    // Where users have passed to other buckets, what was known of the old ones is a beginning no more.
    const current = prior === this.#prior ? this.#routing.weights : prior;
    const weights = this.#counts.next(prior, current, this.#nowMs());
    const isSame = weights === this.#routing.weights && tree === this.#routing.tree;
    const routing = isSame ? this.#routing : weights === prior ? inner.routing : { tree, weights };
    const proposed = { ...inner, routing };
    this.#asked = { inner, proposed };
    return proposed;
  }

  take(proposed: ProposedRouting): void {
    const inner = this.#asked?.proposed === proposed ? this.#asked.inner : null;
    if (!inner) return; // what was in force still is
    this.#inner.take(inner);
    this.#prior = inner.routing.weights;
    this.#routing = proposed.routing;
  }
}
