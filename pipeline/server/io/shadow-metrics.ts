/** The comparison of a control plane in shadow, as gauges. Where an epoch could not be compared there is no figure. */

import { Gauge, type Registry } from 'prom-client';
import type { ShadowFigures } from '../shadow.ts';

export class ShadowMetrics {
  readonly #todaysUtilization: Gauge;
  readonly #elsewhere: Gauge;
  readonly #rttMean: Gauge;
  readonly #rttP95: Gauge;
  readonly #locality: Gauge;
  readonly #figures = new Map<string, ShadowFigures>(); // by service

  constructor(registers: Registry[]) {
    const side = ['service', 'side']; // today, taiji
    this.#todaysUtilization = new Gauge({
      name: 'taiji_shadow_today_utilization_ratio',
      help: 'Load over capacity of a datacenter by what edges do today; by Taiji: taiji_shadow_utilization_ratio',
      labelNames: ['service', 'datacenter'],
      registers,
    });
    this.#elsewhere = new Gauge({
      name: 'taiji_shadow_elsewhere_ratio',
      help: 'Least share of demand that Taiji’s table has elsewhere than edges send it today',
      labelNames: ['service'],
      registers,
    });
    this.#rttMean = new Gauge({
      name: 'taiji_shadow_rtt_mean_seconds',
      help: 'Mean round trip over demand, today and by Taiji',
      labelNames: side,
      registers,
    });
    this.#rttP95 = new Gauge({
      name: 'taiji_shadow_rtt_p95_seconds',
      help: 'Round trip that 95 % of demand keeps within, today and by Taiji',
      labelNames: side,
      registers,
    });
    this.#locality = new Gauge({
      name: 'taiji_shadow_connection_locality_ratio',
      help: 'Estimated share of ties whose two users come to one datacenter, today and by Taiji',
      labelNames: side,
      registers,
    });
  }

  set(service: string, figures: ShadowFigures): void {
    this.#figures.set(service, figures);
    for (const gauge of [this.#todaysUtilization, this.#elsewhere, this.#rttMean, this.#rttP95, this.#locality]) {
      gauge.reset();
    }
    for (const [name, known] of this.#figures) if (known.kind === 'compared') this.#put(name, known);
  }

  #put(service: string, figures: Extract<ShadowFigures, { kind: 'compared' }>): void {
    this.#elsewhere.set({ service }, figures.elsewhere);
    for (const [datacenter, ratio] of Object.entries(figures.today.utilization)) {
      this.#todaysUtilization.set({ service, datacenter }, ratio);
    }
    for (const side of ['today', 'taiji'] as const) {
      const { rttMs, connectionLocality } = figures[side];
      this.#rttMean.set({ service, side }, rttMs.mean / 1000);
      this.#rttP95.set({ service, side }, rttMs.p95 / 1000);
      if (connectionLocality !== null) this.#locality.set({ service, side }, connectionLocality);
    }
  }
}
