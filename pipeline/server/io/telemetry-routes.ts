/** Reports on the fleet, brought in by whoever watches it. They count from the next epoch on. */

import { Router } from 'express';
import { ConfigError } from '../../../config/errors.ts';
import { checkTelemetryReport } from '../../../config/telemetry-report.ts';
import { HttpProblem } from '../problem.ts';
import { receiveReport } from '../report-parts.ts';
import type { ControlPlaneView } from './control-plane-view.ts';

export function telemetryRoutes(view: ControlPlaneView): Router {
  const router = Router();
  router.post('/v1/telemetry', (request, response) => {
    const pushed = new Map(
      [...view.services].flatMap(([service, its]) => (its.pushed ? [[service, its.pushed] as const] : [])),
    );
    if (pushed.size === 0) {
      throw new HttpProblem(
        409,
        'telemetry is not brought to this server; its config needs "telemetry: { kind: push }"',
      );
    }
    if (!request.is('application/json')) throw new HttpProblem(415, 'expected Content-Type: application/json');
    try {
      const report = checkTelemetryReport(request.body, 'telemetry');
      response.status(202).json(receiveReport(report, pushed, view.nowMs()));
    } catch (error) {
      if (error instanceof ConfigError) throw new HttpProblem(422, error.message);
      throw error;
    }
  });
  return router;
}
