/** Where the intents of each service are, as Prometheus asks: one that waits for long is somebody's drill that never began. */

import { Gauge, type Registry } from 'prom-client';
import { type IntentState, intentStates } from '../intent-states.ts';

export interface IntentsWatched {
  readonly service: string;
  readonly intents: () => Readonly<Record<IntentState, number>>;
}

/** `prefix`: of the names. */
export function registerIntents(services: readonly IntentsWatched[], prefix: string, registers: Registry[]): void {
  new Gauge({
    name: `${prefix}_intents`,
    help: 'Intents about a service by state: in-force, waiting for others or for a window, coming with a later epoch',
    labelNames: ['service', 'state'],
    registers,
    collect() {
      for (const { service, intents } of services) {
        const counts = intents();
        for (const state of intentStates) this.set({ service, state }, counts[state]);
      }
    },
  });
}
