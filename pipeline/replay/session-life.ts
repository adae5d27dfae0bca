/** How the sessions of a sticky service really live and end in a replay: every session by chance, seeded, where the plan
 *  knows the mean only. */

import type { Policy } from '../../config/policy.ts';
import { hash32, type Random, seededRandom } from '../../config/random.ts';
import type { FractionMatrix } from '../../runtime/fractions.ts';
import type { DatacenterState } from '../../runtime/inputs.ts';
import { newSessions, outliving, sessionsAfter, survivalOf } from '../../runtime/sessions.ts';

export class SessionLife {
  readonly #survival: number;
  readonly #random: Random;
  #sessions: Float64Array | null = null;

  /** Seeded by the service's name. */
  constructor(policy: Policy, epochMs: number) {
    this.#survival = survivalOf(policy, epochMs);
    this.#random = seededRandom(hash32(policy.metadata.service));
  }

  /** [e * D + d] now; null: a stateless service, or none has begun. */
  get sessions(): Float64Array | null {
    return this.#sessions;
  }

  /** An epoch under a table that serves these fractions. Returns the sessions that live on, and where all are then. */
  live(
    states: readonly DatacenterState[],
    demandRps: Float64Array,
    served: FractionMatrix,
  ): { readonly established: Float64Array; readonly sessions: Float64Array } {
    const before = this.#sessions ?? new Float64Array(served.length);
    const established = outliving(before, this.#survival, states, demandRps, (count, chance) =>
      this.#survivors(count, chance),
    );
    const sessions = sessionsAfter(established, newSessions(demandRps, established), served);
    if (this.#survival > 0) this.#sessions = sessions;
    return { established, sessions };
  }

  /** As good as binomial, for as many sessions as a datacenter has. */
  #survivors(count: number, chance: number): number {
    let normal = -6;
    for (let k = 0; k < 12; k++) normal += this.#random();
    const drawn = count * chance + Math.sqrt(count * chance * (1 - chance)) * normal;
    return Math.min(count, Math.max(0, drawn));
  }
}
