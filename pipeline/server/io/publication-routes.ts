/** What operators do with tables: look at versions, compare them, go back; make plans, look at them, apply them; and what
 *  edges say of what they have applied. */

import { type Request, type Response, Router } from 'express';
import { didYouMean } from '../../../config/did-you-mean.ts';
import { durationMs, formatTime } from '../../../config/duration.ts';
import { checkEdgeAck } from '../../../config/edge-ack.ts';
import {
  checkApplyRequest,
  checkPlanRequest,
  checkResumeRequest,
  checkRollbackRequest,
} from '../../../config/publication-request.ts';
import type { Topology } from '../../../config/topology.ts';
import type { VersionInfo } from '../../publish/history.ts';
import { type PublishPlan, planSummary } from '../../publish/plan.ts';
import type { Rollout } from '../../publish/rollout.ts';
import { decodeTable } from '../../table/routing-table.ts';
import { HttpProblem, orProblem } from '../problem.ts';
import { authorOf } from './author.ts';
import { readBody } from './body.ts';
import type { ControlPlaneView, ServiceView } from './control-plane-view.ts';
import { serviceAsked, serviceAt } from './named-service.ts';
import { plansMax } from './plan-shelf.ts';
import type { Done } from './service-publication.ts';

const versionsByDefault = 50;

export function publicationRoutes(view: ControlPlaneView): Router {
  const router = Router();
  const at = (request: Request): ServiceView => serviceAt(view, request.params['service']);
  router.get('/v1/services/:service/tables', async (request, response) => {
    const its = at(request);
    const versions = await its.versions.latest(limitOf(request.query['limit']));
    response.set('Cache-Control', 'no-store').json({ service: its.service, versions: versions.map(plainVersion) });
  });
  router.get('/v1/services/:service/diff', async (request, response) => {
    const its = at(request);
    const { from, to } = request.query;
    response.set('Cache-Control', 'no-store').json({ service: its.service, ...(await its.versions.diff(from, to)) });
  });
  router.get('/v1/services/:service/rollout', (request, response) => {
    response.set('Cache-Control', 'no-store').json(rolloutOf(view, at(request)));
  });
  router.get('/v1/services/:service/plans', (request, response) => {
    const its = at(request);
    const plans = its.publication.plans.all.map((plan) => plainPlan(planSummary(plan)));
    response.set('Cache-Control', 'no-store').json({ service: its.service, plans });
  });
  router.get('/v1/plans/:id', (request, response) => {
    const { plan } = planAt(view, request);
    response.set('Cache-Control', 'no-store').json(plainPlan(plan));
  });
  router.post('/v1/services/:service/plans', async (request, response) => {
    const its = at(request);
    const asked = readBody(request, 'plan', checkPlanRequest);
    const author = authorOf(response, asked.author);
    const plan =
      asked.table === undefined
        ? await its.publication.planNow(author)
        : await its.publication.planOfTable(
            orProblem(422, () => decodeTable(asked.table, 'plan: table')),
            author,
          );
    if (!plan) {
      response.json({ service: its.service, plan: null, reason: 'nothing would move by choice' });
      return;
    }
    response
      .status(201)
      .location(`/v1/plans/${plan.id}`)
      .json({ service: its.service, plan: plainPlan(planSummary(plan)) });
  });
  router.post('/v1/plans/:id/apply', async (request, response) => {
    const asked = readBody(request, 'apply', checkApplyRequest);
    const author = authorOf(response, asked.author);
    const { its, plan } = planAt(view, request);
    const done = await its.publication.apply(plan.id, {
      author,
      reason: asked.reason ?? `plan ${plan.id}`,
      checksum: asked.checksum ?? null,
      force: asked.force,
      allAtOnce: asked.allAtOnce,
    });
    response.json(plainDone(its, done));
  });
  router.post('/v1/services/:service/rollback', async (request, response) => {
    const its = at(request);
    const asked = readBody(request, 'rollback', checkRollbackRequest);
    const author = authorOf(response, asked.author);
    const untilMs = asked.for === undefined ? null : view.nowMs() + durationMs(asked.for);
    const { reason, version, force } = asked;
    response.json(plainDone(its, await its.publication.rollback(version, untilMs, { author, reason, force })));
  });
  router.post('/v1/services/:service/resume', async (request, response) => {
    const its = at(request);
    const asked = readBody(request, 'resume', checkResumeRequest);
    const author = authorOf(response, asked.author);
    response.json(plainDone(its, await its.publication.resume({ author, reason: asked.reason ?? 'resumed' })));
  });
  router.post('/v1/edges/:edge/acks', (request, response) => acknowledge(view, request, response));
  return router;
}

/** Table and envelope are told from one fetch of the edge; what it has applied, from here. */
async function acknowledge(view: ControlPlaneView, request: Request, response: Response): Promise<void> {
  const edge = String(request.params['edge']);
  if (!view.topology.edges.some(({ id }) => id === edge)) {
    throw new HttpProblem(404, `edge ${shown(edge)} is not in the topology; GET /v1/edges lists them`);
  }
  if (view.isShadow) throw new HttpProblem(409, 'this control plane is in shadow: no edge has a table of its');
  const ack = readBody(request, 'ack', checkEdgeAck);
  const its = serviceAsked(view, ack.service);
  const current = its.feed.get(edge);
  const e = view.topology.edges.findIndex(({ id }) => id === edge);
  const { fractions, demandRps } = its.status();
  const { served, buckets } = ack;
  const requests = served && countsOf(served, view.topology); // all of a report or nothing of it
  if (buckets) orProblem(422, () => its.counts.take(e, buckets, demandRps?.[e] ?? null, view.nowMs()));
  if (requests && current && fractions) {
    const row = fractions.slice(e * requests.length, (e + 1) * requests.length);
    its.realised.count(e, requests, ack.sha256, { sha256: current.sha256, row }, view.nowMs());
  }
  await its.acks.take(edge, ack, view.nowMs());
  response.status(202).json({ service: its.service, edge, isCurrent: current?.sha256 === ack.sha256 });
}

/** [datacenter] Throws a 422 at a name that is not in the topology. */
function countsOf(served: Readonly<Record<string, number>>, { datacenters }: Topology): Float64Array {
  const counts = new Float64Array(datacenters.length);
  for (const [name, requests] of Object.entries(served)) {
    const d = datacenters.findIndex(({ id }) => id === name);
    if (d < 0) {
      const known = datacenters.map(({ id }): string => id);
      throw new HttpProblem(422, `ack: served: unknown datacenter ${shown(name)}${didYouMean(name, known)}`);
    }
    counts[d] = requests;
  }
  return counts;
}

/** Which plan, and whose. A 404 says where plans are listed. */
function planAt(view: ControlPlaneView, request: Request): { its: ServiceView; plan: PublishPlan } {
  const id = String(request.params['id']);
  for (const its of view.services.values()) {
    const plan = its.publication.plans.get(id);
    if (plan) return { its, plan };
  }
  throw new HttpProblem(
    404,
    `plan ${shown(id)} is not here (the newest ${plansMax} are kept, while the table they were made on is in force); taiji get plans lists them`,
  );
}

function rolloutOf(view: ControlPlaneView, its: ServiceView): object {
  const { rolloutInForce: rollout } = its.publication;
  const edges = view.topology.edges.map(({ id }) => {
    const applied = its.acks.acks.of(id);
    const fed = its.feed.get(id);
    return {
      edge: id,
      sha256: fed?.sha256 ?? null,
      applied: applied && {
        sha256: applied.sha256,
        at: formatTime(applied.appliedAtMs),
        heardAt: formatTime(applied.heardAtMs),
      },
      isCurrent: fed !== null && applied?.sha256 === fed.sha256,
    };
  });
  return { service: its.service, version: its.status().version, rollout: plainRollout(rollout), edges };
}

function plainRollout(rollout: Rollout): object {
  switch (rollout.kind) {
    case 'open':
      return { kind: 'open' };
    case 'pinned': {
      const { sinceMs, untilMs, ...rest } = rollout;
      return { ...rest, since: formatTime(sinceMs), until: untilMs === null ? null : formatTime(untilMs) };
    }
    case 'canary': {
      const { sinceMs, untilMs, limits: _, evidence: __, ...rest } = rollout;
      return { ...rest, since: formatTime(sinceMs), until: formatTime(untilMs) };
    }
  }
}

/** As the routes tell it. */
export function plainVersion({ startMs, publishedAtMs, ...rest }: VersionInfo): object {
  return { ...rest, time: formatTime(startMs), publishedAt: publishedAtMs > 0 ? formatTime(publishedAtMs) : null };
}

function plainPlan<Plan extends { readonly createdAtMs: number }>({ createdAtMs, ...rest }: Plan): object {
  return { ...rest, createdAt: formatTime(createdAtMs) };
}

function plainDone(its: ServiceView, { version, rollout, churn, stored }: Done): object {
  return { service: its.service, version, rollout: plainRollout(rollout), churn, stored };
}

function limitOf(query: unknown): number {
  if (query === undefined) return versionsByDefault;
  const limit = Number(query);
  if (Number.isInteger(limit) && limit >= 1) return limit;
  throw new HttpProblem(400, `limit is ${shown(query)}, expected a whole number from 1`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}
