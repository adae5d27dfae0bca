/** What operators and programs want of the traffic, handed in and withdrawn. Effective from the next epoch on. Before it
 *  is taken it is looked at what the others would have to carry; where that cannot be found out in a moment (before the
 *  first epoch, or with an engine that hangs) it is taken without, and the answer says so: nobody drains a burning
 *  datacenter on condition that a solver answers. */

import { type Request, type Response, Router } from 'express';
import { formatTime } from '../../../config/duration.ts';
import { concerns, type Intent } from '../../../config/intent.ts';
import { inTime } from '../../publish/io/in-time.ts';
import { type PreCheck, type PresentService, preCheck } from '../pre-check.ts';
import { HttpProblem } from '../problem.ts';
import { authorOf, bearerName } from './author.ts';
import type { ControlPlaneView } from './control-plane-view.ts';
import { intentOf, nextStartMs } from './intent-request.ts';

const intentsMax = 1000;
const checkMsMax = 5000;

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

/** As the last epoch of each service left it. */
function waitingIn({ services }: ControlPlaneView): object[] {
  return [...services.values()].flatMap(({ service, status }) =>
    status().waiting.map(({ sinceMs, ...waiting }) => ({ ...waiting, service, since: formatTime(sinceMs) })),
  );
}

async function addIntent(view: ControlPlaneView, request: Request, response: Response): Promise<void> {
  const intent = intentOf(view, request, (stated) => authorOf(response, stated));
  const isDryRun = request.query['dryRun'] === 'true';
  if (view.intents.all.length >= intentsMax)
    throw new HttpProblem(409, `${intentsMax} intents are in force; withdraw some`);
  const known = view.intents.all.some(({ id }) => id === intent.id);
  const check = known ? null : await checkOf(view, intent);
  const refusals = refusalsIn(check);
  const effectiveFrom = formatTime(Math.max(nextStartMs(view, intent), sinceMs(intent)));
  if (isDryRun) {
    response.json({ intent, effectiveFrom, check, refusals, dryRun: true });
    return;
  }
  if (refusals.length > 0 && intent.force !== true) {
    throw new HttpProblem(409, `${refusals.join('; ')}; "force": true takes it all the same`, {}, { check, refusals });
  }
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
    .json({ intent, effectiveFrom, stored: accepted.stored, check, refusals });
}

function sinceMs({ since }: Intent): number {
  return since === undefined ? 0 : Date.parse(since);
}

/** Several services say whose a refusal is. */
function refusalsIn(check: Readonly<Record<string, PreCheck>> | null): readonly string[] {
  const all = Object.entries(check ?? {});
  return all.flatMap(([service, { refusals }]) =>
    refusals.map((refusal) => (all.length > 1 ? `${service}: ${refusal}` : refusal)),
  );
}

/** [service] of all whom it concerns; null where it could not be looked at. */
async function checkOf(view: ControlPlaneView, intent: Intent): Promise<Readonly<Record<string, PreCheck>> | null> {
  const groups = new Set([...view.services.values()].map(({ solvedWith }) => solvedWith.join(' ')));
  const checks: Record<string, PreCheck> = {};
  for (const names of groups) {
    const group = names.split(' ').map((name) => view.services.get(name)!);
    if (!group.some(({ service }) => concerns(intent, service))) continue;
    const present = group.map((one) => one.present()).filter((one): one is PresentService => one !== null);
    if (present.length < group.length) return null;
    try {
      Object.assign(
        checks,
        await inTime(preCheck(intent, view.intents.all, present, view.plan), checkMsMax, 'planning'),
      );
    } catch {
      return null; // the epoch's own planning says what is wrong, and raises the alert
    }
  }
  return checks;
}
