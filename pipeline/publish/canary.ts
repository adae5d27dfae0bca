/** Are edges with a new table worse off than those without? Their errors and latency, compared with those of the control
 *  edges over the same time, each against its own time before: edges differ (one is far away, one has bad lines), and
 *  the hour differs, so only a rise that the control edges did not have is the table's.
 *
 *  The answer has an error bar, from how many requests were counted and how far the reports lie apart. Within it nobody
 *  can say, and nobody does. Declined: a threshold on the bare difference (two failed requests of a hundred would return
 *  a good table); a sequential test with a spent error budget (right, and not to be explained at three in the morning). */

import type { RoutingTable } from '../table/routing-table.ts';

export interface CanaryLimits {
  readonly forMs: number;
  readonly errorRateRiseMax: number; // share of requests
  readonly latencyMsRiseMax: number;
}

/** What edges said of a stretch of time, added up. Plain data: it is kept in the head. */
export interface CanaryRecord {
  readonly reports: number;
  readonly requests: number;
  readonly errors: number;
  readonly latencyMsSum: number; // over requests
  readonly latencyMs2Sum: number; // of the reports' means, squared, by requests
}

/** [side][time]. */
export interface Evidence {
  readonly canary: { readonly before: CanaryRecord; readonly during: CanaryRecord };
  readonly control: { readonly before: CanaryRecord; readonly during: CanaryRecord };
}

export type Verdict =
  | { readonly kind: 'good'; readonly detail: string }
  | { readonly kind: 'bad'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string };

/** What one edge said of the requests since it last spoke. */
export interface EdgeHealth {
  readonly requests: number;
  readonly errors: number;
  readonly latencyMs: number; // mean
}

export const noRecord: CanaryRecord = { reports: 0, requests: 0, errors: 0, latencyMsSum: 0, latencyMs2Sum: 0 };

export function withHealth(record: CanaryRecord, { requests, errors, latencyMs }: EdgeHealth): CanaryRecord {
  return {
    reports: record.reports + 1,
    requests: record.requests + requests,
    errors: record.errors + errors,
    latencyMsSum: record.latencyMsSum + requests * latencyMs,
    latencyMs2Sum: record.latencyMs2Sum + requests * latencyMs * latencyMs,
  };
}

/** Less says nothing, whatever it says. */
const requestsMin = 100;
const reportsMin = 3;

/** Error bars: a true difference of none lies outside one in twenty times. */
const deviations = 2;

/** `good` and `bad` hold at any time; whether there was enough of it is for the caller to say. */
export function verdictOf({ canary, control }: Evidence, limits: CanaryLimits): Verdict {
  const parts = [
    ['canary edges before', canary.before],
    ['canary edges since', canary.during],
    ['control edges before', control.before],
    ['control edges since', control.during],
  ] as const;
  const thin = parts.find(([, { requests, reports }]) => requests < requestsMin || reports < reportsMin);
  if (thin) {
    const [of, { requests, reports }] = thin;
    return {
      kind: 'unknown',
      detail: `the ${of} told of ${requests} requests in ${reports} reports, expected at least ${requestsMin} in ${reportsMin}`,
    };
  }
  const errors = riseOf(parts.map(([, record]) => errorRate(record)));
  const latency = riseOf(parts.map(([, record]) => meanLatency(record)));
  const said = `errors rose by ${share(errors.rise)} (+-${share(errors.margin)}), latency by ${ms(latency.rise)} (+-${ms(latency.margin)}) over the control edges`;
  const over = [
    ...(errors.rise - errors.margin > limits.errorRateRiseMax ? [`errors ${share(limits.errorRateRiseMax)}`] : []),
    ...(latency.rise - latency.margin > limits.latencyMsRiseMax ? [`latency ${ms(limits.latencyMsRiseMax)}`] : []),
  ];
  if (over.length > 0) return { kind: 'bad', detail: `${said}; allowed: ${over.join(', ')}` };
  const within =
    errors.rise + errors.margin <= limits.errorRateRiseMax && latency.rise + latency.margin <= limits.latencyMsRiseMax;
  if (within) return { kind: 'good', detail: said };
  const allowed = `errors ${share(limits.errorRateRiseMax)}, latency ${ms(limits.latencyMsRiseMax)}`;
  return { kind: 'unknown', detail: `${said}, which is too uncertain against what is allowed: ${allowed}` };
}

/** `base` with the canary edges as `next` has them: a table like any other. Both have the same shape. */
export function canaryTable(base: RoutingTable, next: RoutingTable, edges: ReadonlySet<string>): RoutingTable {
  return { ...next, byEdge: next.edges.map((edge, e) => (edges.has(edge) ? next.byEdge[e]! : base.byEdge[e]!)) };
}

interface Estimate {
  readonly value: number;
  readonly variance: number; // of the value
}

function errorRate({ requests, errors }: CanaryRecord): Estimate {
  const value = errors / requests;
  // Never surer than one error more or less would make us: none among a hundred is not a rate of zero.
  const rate = (errors + 1) / (requests + 2);
  return { value, variance: (rate * (1 - rate)) / requests };
}

function meanLatency({ reports, requests, latencyMsSum, latencyMs2Sum }: CanaryRecord): Estimate {
  const value = latencyMsSum / requests;
  const spread = Math.max(0, latencyMs2Sum / requests - value * value);
  return { value, variance: spread / (reports - 1) };
}

/** Canary before and since, control before and since. */
function riseOf([before, during, controlBefore, controlDuring]: readonly Estimate[]): {
  readonly rise: number;
  readonly margin: number;
} {
  const all = [before!, during!, controlBefore!, controlDuring!];
  const rise = during!.value - before!.value - (controlDuring!.value - controlBefore!.value);
  return { rise, margin: deviations * Math.sqrt(all.reduce((sum, { variance }) => sum + variance, 0)) };
}

function share(value: number): string {
  return value.toFixed(4);
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
