/** The routing of another source, with bucket weights as edges count them. Where users pass to other buckets, what was
 *  learnt of those they leave goes with them: an edge's evening is not forgotten for a new tree. */

import type { EpochInputs } from '../epoch/inputs.ts';
import { type BucketWeights, cellsOf, denseOf, type EdgeCells } from '../table/bucket-weights.ts';
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

  /** `learnt`: in force when a process before ended; null: the inner source's were. */
  constructor(inner: RoutingSource, counts: BucketCounts, nowMs: () => number, learnt: BucketWeights | null = null) {
    this.#inner = inner;
    this.#counts = counts;
    this.#nowMs = nowMs;
    const { tree, weights } = inner.routing;
    this.#routing = learnt ? { tree, weights: learnt } : inner.routing;
    this.#prior = weights;
  }

  get routing(): Routing {
    return this.#routing;
  }

  /** Weights in force that follow from more than the inner source's; null: they are those. */
  get learnt(): BucketWeights | null {
    const { weights } = this.#routing;
    return weights === this.#prior ? null : weights;
  }

  propose(inputs: EpochInputs): ProposedRouting {
    const inner = this.#inner.propose(inputs);
    const { tree, weights: prior } = inner.routing;
    const weights = this.#counts.next(prior, this.#current(inner), this.#nowMs(), inner.passed);
    const isSame = weights === this.#routing.weights && tree === this.#routing.tree;
    const routing = isSame ? this.#routing : weights === prior ? inner.routing : { tree, weights };
    const proposed = { ...inner, routing };
    this.#asked = { inner, proposed };
    return proposed;
  }

  take(proposed: ProposedRouting): void {
    const inner = this.#asked?.proposed === proposed ? this.#asked.inner : null;
    if (!inner) return; // what was in force still is
    if (inner.passed) this.#counts.pass(inner.passed);
    this.#inner.take(inner);
    this.#prior = inner.routing.weights;
    this.#routing = proposed.routing;
    this.#asked = null; // nobody passes twice
  }

  /** What is in force, of the buckets in which users are then. */
  #current({ passed, routing: { weights: prior } }: ProposedRouting): BucketWeights {
    const { weights } = this.#routing;
    if (prior === this.#prior) return weights;
    if (!passed || weights === this.#prior) return prior;
    const buckets = 1 << this.#routing.tree.height;
    const isLearnt = (cells: EdgeCells, e: number): boolean => cells !== this.#prior.byEdge[e];
    const shares = passed(weights.byEdge.map((cells, e) => (isLearnt(cells, e) ? denseOf(cells, buckets) : null)));
    return { ...prior, byEdge: prior.byEdge.map((cells, e) => (shares[e] ? cellsOf(shares[e]) : cells)) };
  }
}
