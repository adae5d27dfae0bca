/** Bucket trees over HTTP: which one a user goes by, for frontends; handing one in and passing to it, for operators. Trees
 *  hold user ids, so nothing here gives one out. */

import { type Request, Router } from 'express';
import { formatTime } from '../../../config/duration.ts';
import { checkActivateRequest, checkTreeRollbackRequest, treeVersionSchema } from '../../../config/tree-request.ts';
import { HttpProblem } from '../problem.ts';
import { authorOf } from './author.ts';
import { readBody } from './body.ts';
import type { ControlPlaneView, ServiceView } from './control-plane-view.ts';
import { serviceAt } from './named-service.ts';
import type { MoveAnswer } from './tree-moves.ts';

export function treeRoutes(view: ControlPlaneView): Router {
  const router = Router();
  const at = (request: Request): ServiceView => serviceAt(view, request.params['service']);
  const served = (request: Request): ServiceView => {
    if (view.isShadow) throw new HttpProblem(409, 'this control plane is in shadow: no user goes by its trees');
    return at(request);
  };
  router.get('/v1/services/:service/tree', (request, response) => {
    response.set('Cache-Control', 'no-store').json(plainTrees(at(request)));
  });
  router.post('/v1/services/:service/tree', async (request, response) => {
    const its = served(request);
    const { author, reason, tree, dryRun } = readBody(request, 'activation', checkActivateRequest);
    const asked = { author: authorOf(response, author), reason };
    response.json(plainMove(its, await its.moves.activate(tree, asked, dryRun)));
  });
  router.post('/v1/services/:service/tree/rollback', async (request, response) => {
    const its = served(request);
    const { author, reason, dryRun } = readBody(request, 'rollback', checkTreeRollbackRequest);
    const asked = { author: authorOf(response, author), reason };
    response.json(plainMove(its, await its.moves.rollback(asked, dryRun)));
  });
  router.put('/v1/trees/:version', async (request, response) => {
    const version = versionOf(request);
    if (!request.is('application/octet-stream')) {
      throw new HttpProblem(415, 'expected Content-Type: application/octet-stream, a file of taiji bucketize');
    }
    await view.shelf.take(version, request);
    response.status(201).json({ tree: version });
  });
  return router;
}

function versionOf(request: Request): string {
  const version = String(request.params['version']);
  if (treeVersionSchema.safeParse(version).success) return version;
  throw new HttpProblem(
    400,
    `version is ${JSON.stringify(version.slice(0, 80))}, expected 64 hexadecimal digits; taiji tree info tells it`,
  );
}

/** A user below the cut goes by `next`, everybody else by `tree`: `isOnNextTree` of taiji/lookup. */
function plainTrees({ service, moves }: ServiceView): object {
  const { course, asked } = moves.inForce;
  const { trees } = moves;
  const said = {
    height: trees.routing.tree.height,
    asked: asked && { author: asked.author, reason: asked.reason, since: formatTime(asked.sinceMs) },
  };
  if (course.kind === 'settled') {
    const { tree, before } = course;
    return { service, kind: 'settled', tree, next: null, cut: 0, before, direction: null, progress: null, ...said };
  }
  const { from, to, cut, direction, epochs, churn } = course;
  const counted = trees.progress ?? trees.arrival;
  const progress = counted && { ...counted, epochs, churn, standstill: trees.standstill };
  return { service, kind: 'moving', tree: from, next: to, cut, before: null, direction, progress, ...said };
}

function plainMove({ service }: ServiceView, answer: MoveAnswer): object {
  return { service, ...answer };
}
