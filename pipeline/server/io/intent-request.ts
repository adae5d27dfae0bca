/** The intent that a request hands in: its times made absolute, its author known, its places there. */

import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { z } from 'zod';
import { checked } from '../../../config/checked.ts';
import { didYouMean } from '../../../config/did-you-mean.ts';
import { durationMs, durationSchema, formatTime } from '../../../config/duration.ts';
import { ConfigError } from '../../../config/errors.ts';
import { checkIntent, concerns, type Intent } from '../../../config/intent.ts';
import { relativeTimes } from '../pre-check.ts';
import { HttpProblem } from '../problem.ts';
import type { ControlPlaneView } from './control-plane-view.ts';

/** What a request may say in place of `until` and `schedule`: how long from the next epoch on. */
const relativeSchema = z.looseObject({
  for: durationSchema.optional(),
  over: durationSchema.optional(),
});

/** `authorOf`: from what the request names. Throws an HttpProblem. */
export function intentOf(view: ControlPlaneView, request: Request, authorOf: (stated: unknown) => string): Intent {
  if (!request.is('application/json')) throw new HttpProblem(415, 'expected Content-Type: application/json');
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HttpProblem(
      422,
      'expected a JSON object such as {"kind":"drain","datacenter":"tokyo","author":"ann","reason":"power"}',
    );
  }
  const author = authorOf(Reflect.get(body, 'author'));
  try {
    const absolute = withTimes(view, { id: randomBytes(8).toString('hex'), ...body, author });
    const intent = checkIntent(absolute, 'intent');
    checkService(view, intent);
    checkPlaces(view, intent);
    checkTime(view, intent);
    return intent;
  } catch (error) {
    if (error instanceof ConfigError) throw new HttpProblem(422, error.message);
    throw error;
  }
}

function withTimes(view: ControlPlaneView, stated: Readonly<Record<string, unknown>>): unknown {
  const { for: lasts, over, ...rest } = checked(relativeSchema, stated, 'intent');
  if (lasts === undefined && over === undefined) return stated;
  const refuse = (two: string): never => {
    throw new ConfigError(`intent: ${two} are both given; leave one out`);
  };
  if (lasts !== undefined && rest['until'] !== undefined && rest['until'] !== null) refuse('for and until');
  if (over !== undefined && rest['schedule'] !== undefined) refuse('over and schedule');
  if (over !== undefined && rest['kind'] !== 'drain') {
    throw new ConfigError(
      `intent: over is ${over} and the kind ${String(rest['kind']).slice(0, 20)}, expected a drain`,
    );
  }
  const { keep = 0, ...other } = rest;
  const concerned = concernedBy(view, typeof rest['service'] === 'string' ? rest['service'] : undefined);
  const since = typeof rest['since'] === 'string' ? Date.parse(rest['since']) : Number.NaN;
  const next = Math.max(...concerned.map(({ status }) => status().nextStartMs));
  const { untilMs, schedule } = relativeTimes(
    {
      for: lasts === undefined ? null : durationMs(lasts),
      over: over === undefined ? null : durationMs(over),
      keep: typeof keep === 'number' ? keep : 0,
    },
    Number.isNaN(since) ? next : since,
    Math.min(...concerned.map(({ status }) => status().epochMs)),
  );
  return {
    ...(schedule && typeof keep === 'number' ? other : rest),
    ...(untilMs !== null && { until: formatTime(untilMs) }),
    ...(schedule && { schedule: schedule.map(([timeMs, share]) => [formatTime(timeMs), share]) }),
  };
}

function concernedBy({ services }: ControlPlaneView, service: string | undefined) {
  const named = service === undefined ? undefined : services.get(service);
  return named ? [named] : [...services.values()];
}

function checkService({ services }: ControlPlaneView, { service }: Intent): void {
  if (service === undefined || services.has(service)) return;
  const names = [...services.keys()];
  throw new HttpProblem(
    422,
    `service ${JSON.stringify(service)} is not here${didYouMean(service, names)}; name ${names.join(', ')}, or none for all`,
  );
}

/** When it takes effect for all whom it concerns. */
export function nextStartMs({ services }: ControlPlaneView, intent: Intent): number {
  const concerned = [...services.values()].filter(({ service }) => concerns(intent, service));
  return Math.max(...concerned.map(({ status }) => status().nextStartMs));
}

function checkPlaces({ topology, services }: ControlPlaneView, intent: Intent): void {
  const datacenters: readonly string[] = topology.datacenters.map(({ id }) => id);
  const edges: readonly string[] = topology.edges.map(({ id }) => id);
  const named = intent.kind === 'shift' ? [intent.from, intent.to] : [intent.datacenter];
  for (const id of named) {
    if (id === undefined || datacenters.includes(id)) continue;
    const isEdge = edges.includes(id)
      ? ' but an edge: which edge users reach is DNS’s affair; to move its users name a datacenter, and the edge beside it'
      : didYouMean(id, datacenters);
    throw new HttpProblem(
      422,
      `datacenter ${JSON.stringify(id)} is not in the topology${isEdge}; it has ${datacenters.join(', ')}`,
    );
  }
  if (intent.edge !== undefined && !edges.includes(intent.edge)) {
    const known = edges.length > 20 ? `${edges.slice(0, 20).join(', ')}, ...` : edges.join(', ');
    throw new HttpProblem(
      422,
      `edge ${JSON.stringify(intent.edge)} is not in the topology${didYouMean(intent.edge, edges)}; it has ${known}`,
    );
  }
  const to =
    intent.kind === 'shift' ? intent.to : intent.kind === 'override' && intent.fraction > 0 ? intent.datacenter : null;
  if (to === null) return;
  const isOpen = topology.datacenters.some(({ id, capacityRps }) => id === to && capacityRps > 0);
  if (!isOpen) throw new HttpProblem(422, `the capacity of ${to} is 0, and nothing can be sent there`);
  for (const { service, policy } of services.values()) {
    if (!concerns(intent, service) || intent.edge === undefined) continue;
    const { allowed, forbidden } = policy.spec;
    const rule = allowed.find(({ edge }) => edge === intent.edge);
    const isBarred = forbidden.some((one) => one.edge === intent.edge && one.datacenters.includes(to));
    if (isBarred || (rule && !rule.datacenters.includes(to))) {
      throw new HttpProblem(
        422,
        `the policy of ${service} does not let ${intent.edge} be served by ${to}; residency gives for nobody, change the policy`,
      );
    }
  }
}

function checkTime(view: ControlPlaneView, intent: Intent): void {
  const nextMs = Math.max(nextStartMs(view, intent), intent.since === undefined ? 0 : Date.parse(intent.since));
  if (intent.until !== null && Date.parse(intent.until) <= nextMs) {
    const start = intent.since === undefined ? "the next epoch's start" : 'its beginning';
    throw new HttpProblem(422, `until is ${intent.until}, expected a time after ${start}, ${formatTime(nextMs)}`);
  }
}
