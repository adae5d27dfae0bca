/** What people and the page look at: recent epochs, where each edge's traffic goes now, and a stream of epochs. */

import { type Request, Router } from 'express';
import { formatTime, parseTimeMs } from '../../../config/duration.ts';
import { type Explanation, explainEdge } from '../../replay/explanation.ts';
import type { EpochSummary } from '../epoch-summary.ts';
import { byDatacenter } from '../epoch-summary.ts';
import { HttpProblem } from '../problem.ts';
import { shadowReport } from '../shadow-report.ts';
import type { ControlPlaneView, ServiceView } from './control-plane-view.ts';
import { serviceAsked, serviceAt, serviceNamed } from './named-service.ts';

const epochsByDefault = 288; // a day of five-minute epochs

export function statusRoutes(view: ControlPlaneView): Router {
  const router = Router();
  router.get('/v1/services', (_, response) => {
    response.set('Cache-Control', 'no-store');
    response.json({ services: [...view.services.values()].map(describe) });
  });
  router.get('/v1/epochs', (request, response) => {
    response.set('Cache-Control', 'no-store');
    const its = serviceAsked(view, request.query['service']);
    response.json({ service: its.service, epochs: epochsOf(its, request) });
  });
  router.get('/v1/edges', (request, response) => {
    response.set('Cache-Control', 'no-store');
    response.json(edgesOf(view, serviceAsked(view, request.query['service'])));
  });
  router.get('/v1/services/:service/shadow', (request, response) => {
    response.set('Cache-Control', 'no-store');
    const { service, history } = serviceAt(view, request.params['service']);
    if (!view.isShadow) {
      throw new HttpProblem(
        404,
        'this control plane is not in shadow; taiji serve --shadow compares and publishes nothing',
      );
    }
    response.json({ service, ...shadowReport(history.after(-1, Number.POSITIVE_INFINITY)) });
  });
  router.get('/v1/explain', (request, response) => {
    response.set('Cache-Control', 'no-store');
    response.json(explanationOf(view, serviceAsked(view, request.query['service']), request));
  });
  router.get('/v1/events', (request, response) => {
    const named = serviceNamed(view, request.query['service']);
    view.events.join(request, response, named?.service ?? null);
  });
  return router;
}

function describe({ service, kind, solvedWith, status }: ServiceView): object {
  const { version, epoch, nextStartMs, freshUntilMs, alerts } = status();
  return {
    service,
    kind,
    solvedWith,
    version,
    epoch,
    nextTime: formatTime(nextStartMs),
    freshUntil: freshUntilMs > 0 ? formatTime(freshUntilMs) : null,
    alerts: Object.fromEntries(alerts),
  };
}

function epochsOf({ history }: ServiceView, { query }: Request): readonly EpochSummary[] {
  const limit = query['limit'] === undefined ? epochsByDefault : Number(query['limit']);
  if (!(Number.isInteger(limit) && limit >= 1)) {
    throw new HttpProblem(400, `limit is ${shown(query['limit'])}, expected a whole number from 1`);
  }
  const since = query['since'];
  if (since === undefined) return history.after(-1, limit);
  const timeMs = typeof since === 'string' ? parseTimeMs(since) : Number.NaN;
  if (!Number.isNaN(timeMs)) return history.since(timeMs, limit);
  const epoch = typeof since === 'string' && /^\d{1,15}$/.test(since) ? Number(since) : Number.NaN;
  if (Number.isNaN(epoch)) {
    throw new HttpProblem(
      400,
      `since is ${shown(since)}, expected an epoch's number or a time such as 2026-03-05T00:00:00Z`,
    );
  }
  return history.after(epoch, limit);
}

function explanationOf(view: ControlPlaneView, its: ServiceView, { query }: Request): Explanation {
  const { edges, datacenters } = view.topology;
  const e = edges.findIndex(({ id }) => id === query['edge']);
  if (query['edge'] === undefined) throw new HttpProblem(400, 'no edge is named, expected ?edge=...; see /v1/edges');
  if (e < 0) throw new HttpProblem(404, `edge ${shown(query['edge'])} is not there; see /v1/edges`);
  const named = query['datacenter'];
  const d = named === undefined ? null : datacenters.findIndex(({ id }) => id === named);
  if (d === -1) throw new HttpProblem(404, `datacenter ${shown(named)} is not there; see /v1/edges`);
  const watched = its.watched();
  if (!watched) {
    const why = 'no epoch was decided since the start; ask again after the next one, or taiji explain --journal';
    throw new HttpProblem(503, why, { 'Retry-After': '5' });
  }
  const asked = query['bucket'];
  const buckets = 1 << watched.context.tree.height;
  const bucket = asked === undefined ? null : /^\d{1,5}$/.test(String(asked)) ? Number(asked) : buckets;
  if (bucket !== null && bucket >= buckets) {
    throw new HttpProblem(400, `bucket is ${shown(asked)}, expected a number from 0 to ${buckets - 1}`);
  }
  return explainEdge(watched, e, d, bucket);
}

function edgesOf({ topology, nowMs }: ControlPlaneView, its: ServiceView): object {
  const { service, feed, realised, status: statusNow } = its;
  const status = statusNow();
  const width = topology.datacenters.length;
  return {
    service,
    version: status.version,
    epoch: status.epoch,
    nextTime: formatTime(status.nextStartMs),
    treeVersion: status.treeVersion,
    freshUntil: status.freshUntilMs > 0 ? formatTime(status.freshUntilMs) : null,
    alerts: Object.fromEntries(status.alerts),
    datacenters: topology.datacenters.map(({ id, lat, lon, capacityRps }, d) => ({
      datacenter: id,
      lat,
      lon,
      capacityRps,
      keep: status.states?.[d]?.keep ?? 1,
      cause: status.states?.[d]?.cause ?? '',
    })),
    edges: topology.edges.map(({ id, city, lat, lon }, e) => {
      const table = feed.get(id);
      return {
        edge: id,
        city,
        lat,
        lon,
        demandRps: status.demandRps?.[e] ?? null,
        fractions: status.fractions && byDatacenter(topology, status.fractions.subarray(e * width, (e + 1) * width)),
        rttMs: byDatacenter(topology, status.rttMs.subarray(e * width, (e + 1) * width)),
        realised: realised.of(e, nowMs()),
        sha256: table?.sha256 ?? null,
        bytes: table?.identity.length ?? null,
        gzipBytes: table?.gzip.length ?? null,
      };
    }),
  };
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 80);
}
