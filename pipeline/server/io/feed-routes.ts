/** What edges fetch: their table, conditionally and patiently, and the key to check its envelope with. */

import { type Request, type Response, Router } from 'express';
import { durationMs, durationSchema } from '../../../config/duration.ts';
import { infoOf } from '../../publish/history.ts';
import { HttpProblem } from '../problem.ts';
import type { ControlPlaneView } from './control-plane-view.ts';
import { type Encoding, etagOf, type FedTable } from './feed.ts';
import { serviceAt } from './named-service.ts';
import { plainVersion } from './publication-routes.ts';

const waitMsMax = 60_000;
const waitingMax = 10_000; // edges times a few; beyond it somebody forgot to stop

export function feedRoutes(view: ControlPlaneView): Router {
  const router = Router();
  router.get('/v1/services/:service/edges/:edge/table', (request, response) => sendTable(view, request, response));
  router.get('/v1/services/:service/tables/:version', (request, response) => sendVersion(view, request, response));
  router.get('/v1/keys', (_, response) => {
    const { keyId, publicJwk, publicKeyPem } = view.signingKey;
    response.json({ keys: [{ ...publicJwk, kid: keyId, use: 'sig', pem: publicKeyPem }] });
  });
  return router;
}

async function sendTable(view: ControlPlaneView, request: Request, response: Response): Promise<void> {
  const { service, feed } = serviceAt(view, request.params['service']);
  response.on('finish', () => view.metrics.feedAnswered(service, response.statusCode));
  const edge = String(request.params['edge']);
  if (!view.topology.edges.some(({ id }) => id === edge)) {
    throw new HttpProblem(
      404,
      `edge ${JSON.stringify(edge.slice(0, 80))} is not in the topology; GET /v1/edges lists them`,
    );
  }
  if (view.isShadow) {
    throw new HttpProblem(
      503,
      'this control plane is in shadow: its tables are for nobody; keep the last good one, and ask the one that steers',
    );
  }
  const waitMs = waitOf(request.query['wait']);
  const encoding: Encoding = request.acceptsEncodings('gzip', 'identity') === 'gzip' ? 'gzip' : 'identity';
  let table = feed.get(edge);
  if (waitMs > 0 && (table === null || isKnown(request, table, encoding))) {
    if (feed.waiting >= waitingMax) {
      throw new HttpProblem(503, `${waitingMax} requests wait already; ask without ?wait`, { 'Retry-After': '10' });
    }
    await feed.change(edge, waitMs, goneOf(response, view.stopping));
    table = feed.get(edge);
  }
  if (response.destroyed) return;
  if (table === null) {
    throw new HttpProblem(503, 'no table was published yet; keep the last good one', { 'Retry-After': '5' });
  }
  response.set({
    ETag: etagOf(table, encoding),
    Vary: 'Accept-Encoding',
    'Cache-Control': 'no-cache', // keep it, and ask every time whether it still stands
    'Taiji-Envelope': table.envelope, // newer than the body where that did not change
    'Taiji-Version': String(table.version),
  });
  if (isKnown(request, table, encoding)) {
    response.status(304).end();
    return;
  }
  response.type('application/json');
  if (encoding === 'gzip') response.set('Content-Encoding', 'gzip');
  response.send(table[encoding]);
}

async function sendVersion(view: ControlPlaneView, request: Request, response: Response): Promise<void> {
  const its = serviceAt(view, request.params['service']);
  const text = String(request.params['version']);
  const version = text === 'current' ? its.status().version : Number(text);
  const snapshot = Number.isSafeInteger(version) && version > 0 ? await its.versions.get(version) : null;
  if (!snapshot) {
    const newest = its.status().version;
    throw new HttpProblem(
      404,
      `version ${JSON.stringify(text.slice(0, 40))} is not kept; the one in force is ${newest}`,
    );
  }
  const { bodies } = snapshot;
  response.set('Cache-Control', text === 'current' ? 'no-cache' : 'private, max-age=86400, immutable');
  response.json({
    ...plainVersion(infoOf(snapshot)),
    edges: Object.fromEntries(bodies.map((of) => [of.edge, { sha256: of.version, body: JSON.parse(of.body) }])),
  });
}

function isKnown(request: Request, table: FedTable, encoding: Encoding): boolean {
  const header = request.get('If-None-Match');
  if (header === undefined) return false;
  const etag = etagOf(table, encoding);
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

function waitOf(query: unknown): number {
  if (query === undefined) return 0;
  const parsed = durationSchema.safeParse(query);
  const waitMs = parsed.success ? durationMs(parsed.data) : Number.NaN;
  if (!(waitMs <= waitMsMax)) {
    throw new HttpProblem(
      400,
      `wait is ${JSON.stringify(query)?.slice(0, 80)}, expected a duration up to 60s such as 30s`,
    );
  }
  return waitMs;
}

/** Aborted when the client goes away or the server stops: nobody waits for either. */
function goneOf(response: Response, stopping: AbortSignal): AbortSignal {
  const closed = new AbortController();
  response.on('close', () => closed.abort());
  return AbortSignal.any([closed.signal, stopping]);
}
