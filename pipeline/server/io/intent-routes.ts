/** What operators and programs want of the traffic, handed in and withdrawn. Effective from the next epoch on. */

import { randomBytes } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { didYouMean } from '../../../config/did-you-mean.ts';
import { formatTime } from '../../../config/duration.ts';
import { ConfigError } from '../../../config/errors.ts';
import { checkIntent, concerns, type Intent } from '../../../config/intent.ts';
import { HttpProblem } from '../problem.ts';
import { authorOf, bearerName } from './author.ts';
import type { ControlPlaneView } from './control-plane-view.ts';

const intentsMax = 1000;

export function intentRoutes(view: ControlPlaneView): Router {
  const router = Router();
  router.get('/v1/intents', (_, response) => {
    response.set('Cache-Control', 'no-store');
    response.json({ intents: view.intents.all, waiting: waitingIn(view), ended: view.intents.ended });
  });
  router.post('/v1/intents', (request, response) => addIntent(view, request, response));
  router.delete('/v1/intents/:id', async (request, response) => {
    const id = String(request.params['id']);
    const by = bearerName(response) ?? textOf(request.query['author']);
    const atMs = Math.max(...[...view.services.values()].map(({ status }) => status().nextStartMs));
    if (!(await view.intents.remove(id, { by, reason: textOf(request.query['reason']) }, atMs))) {
      throw new HttpProblem(
        404,
        `intent ${JSON.stringify(id.slice(0, 80))} is not there; GET /v1/intents lists those that are`,
      );
    }
    response.status(204).end();
  });
  return router;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, 1024) : null;
}

/** As the last epoch of each service had it. */
function waitingIn({ services }: ControlPlaneView): object[] {
  return [...services.values()].flatMap(({ service, watched }) =>
    (watched()?.plan.carried.intents?.waiting ?? []).map(({ sinceMs, ...waiting }) => ({
      ...waiting,
      service,
      since: formatTime(sinceMs),
    })),
  );
}

async function addIntent(view: ControlPlaneView, request: Request, response: Response): Promise<void> {
  const intent = intentOf(view, request, response);
  if (view.intents.all.length >= intentsMax)
    throw new HttpProblem(409, `${intentsMax} intents are in force; withdraw some`);
  const accepted = await view.intents.add(intent);
  if (accepted.kind === 'taken') {
    throw new HttpProblem(
      409,
      `intent ${JSON.stringify(intent.id)} is another one; withdraw it first, or use another id`,
    );
  }
  response
    .status(accepted.kind === 'added' ? 201 : 200)
    .location(`/v1/intents/${encodeURIComponent(intent.id)}`)
    .json({ intent, effectiveFrom: formatTime(nextStartMs(view, intent)), stored: accepted.stored });
}

function intentOf(view: ControlPlaneView, request: Request, response: Response): Intent {
  if (!request.is('application/json')) throw new HttpProblem(415, 'expected Content-Type: application/json');
  const body: unknown = request.body;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new HttpProblem(
      422,
      'expected a JSON object such as {"kind":"drain","datacenter":"tokyo","author":"ann","reason":"power"}',
    );
  }
  try {
    const author = authorOf(response, Reflect.get(body, 'author'));
    const intent = checkIntent({ id: randomBytes(8).toString('hex'), ...body, author }, 'intent');
    checkService(view, intent);
    checkPlacesAndTime(view, intent);
    return intent;
  } catch (error) {
    if (error instanceof ConfigError) throw new HttpProblem(422, error.message);
    throw error;
  }
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
function nextStartMs({ services }: ControlPlaneView, intent: Intent): number {
  const concerned = [...services.values()].filter(({ service }) => concerns(intent, service));
  return Math.max(...concerned.map(({ status }) => status().nextStartMs));
}

function checkPlacesAndTime(view: ControlPlaneView, intent: Intent): void {
  const { datacenters } = view.topology;
  if (intent.kind === 'drain' && !datacenters.some(({ id }) => id === intent.datacenter)) {
    const known = datacenters.map(({ id }) => id).join(', ');
    throw new HttpProblem(
      422,
      `datacenter ${JSON.stringify(intent.datacenter)} is not in the topology; it has ${known}`,
    );
  }
  const nextMs = nextStartMs(view, intent);
  if (intent.until !== null && Date.parse(intent.until) <= nextMs) {
    throw new HttpProblem(
      422,
      `until is ${intent.until}, expected a time after the next epoch's start, ${formatTime(nextMs)}`,
    );
  }
}
