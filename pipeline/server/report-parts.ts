/** A report on the fleet, and what of it each service is told: states of datacenters and round trips are one thing for
 *  all, whoever reports them; demand, sessions, allocation and health are of the service that the report names. */

import { didYouMean } from '../../config/did-you-mean.ts';
import { ConfigError } from '../../config/errors.ts';
import type { TelemetryReport } from '../../config/telemetry-report.ts';
import type { PushedTelemetry, Received } from './pushed-telemetry.ts';

/** All of a report or, with a ConfigError that names the trouble, nothing of it. Counts what it brought the service it
 *  names, or each one. */
export function receiveReport(
  report: TelemetryReport,
  services: ReadonlyMap<string, PushedTelemetry>,
  nowMs: number,
): Received {
  const names = [...services.keys()];
  const { service } = report;
  if (service !== undefined && !services.has(service)) {
    throw new ConfigError(
      `telemetry: service "${service}" is not here${didYouMean(service, names)}; expected ${names.join(', ')}`,
    );
  }
  const own = (['demandRps', 'sessions', 'allocation'] as const).find((key) => Object.keys(report[key]).length > 0);
  if (service === undefined && own !== undefined && names.length > 1) {
    throw new ConfigError(
      `telemetry: ${own} is given and no service; name whose it is in "service", one of ${names.join(', ')}`,
    );
  }
  const whose = service ?? names[0]!;
  // Whatever is wrong with it is wrong with this part, so nobody has been told anything yet.
  const received = services.get(whose)!.receive(report, nowMs);
  for (const [name, pushed] of services) {
    if (name !== whose) pushed.receive(service === undefined ? report : sharedPart(report), nowMs);
  }
  return received;
}

function sharedPart({ observedAt, rttMs, datacenters }: TelemetryReport): TelemetryReport {
  const states = Object.entries(datacenters).flatMap(([id, { state }]) =>
    state === undefined ? [] : [[id, { state }] as const],
  );
  return { observedAt, rttMs, datacenters: Object.fromEntries(states), demandRps: {}, sessions: {}, allocation: {} };
}
