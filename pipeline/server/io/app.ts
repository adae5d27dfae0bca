/** The HTTP surface: who may ask (Host, token), in what frame (headers, sizes, problem documents), and which routes.
 *  The routes themselves are in the files beside this one. Plain HTTP: TLS belongs to the proxy in front, and without
 *  one the server listens on loopback only. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import { allowedHosts, isAllowedHost } from '../host-check.ts';
import { openApi } from '../openapi.ts';
import { HttpProblem, problemOf } from '../problem.ts';
import { noteBearer } from './author.ts';
import type { ControlPlaneView } from './control-plane-view.ts';
import { feedRoutes } from './feed-routes.ts';
import { intentRoutes } from './intent-routes.ts';
import { publicationRoutes } from './publication-routes.ts';
import type { Token } from './secrets.ts';
import { statusRoutes } from './status-routes.ts';
import { telemetryRoutes } from './telemetry-routes.ts';
import { treeRoutes } from './tree-routes.ts';

export interface AppSettings {
  readonly hosts: readonly string[]; // allowed besides the loopback names
  readonly token: Token;
  readonly consoleDirectory: string | null;
  readonly log: Logger;
}

const bodyBytesMax = 65_536;
const ackBytesMax = 1_048_576; // counts of 65,536 buckets
const tableBytesMax = 33_554_432; // 200 edges of 16,384 buckets, whatever they hold

export function makeApp(view: ControlPlaneView, settings: AppSettings): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false); // ours are strong and say which body
  app.set('query parser', 'simple');

  app.use(securityHeaders);
  app.use(hostCheck(settings.hosts));
  // Before the body is read: a stranger does not get to send one.
  app.use(tokenCheck(settings.token));
  app.use(/^\/v1\/services\/[^/]+\/plans$/, express.json({ limit: tableBytesMax, type: 'application/json' }));
  app.use(/^\/v1\/edges\/[^/]+\/acks$/, express.json({ limit: ackBytesMax, type: 'application/json' }));
  app.use(express.json({ limit: bodyBytesMax, type: 'application/json' }));

  app.get('/healthz', (_, response) => void response.type('text/plain').send('ok\n'));
  app.get('/readyz', (_, response) => {
    const { ready, detail } = view.readiness();
    response
      .status(ready ? 200 : 503)
      .type('text/plain')
      .send(`${detail}\n`);
  });
  app.get('/metrics', async (_, response) => {
    response.set('Content-Type', view.metrics.registry.contentType).send(await view.metrics.registry.metrics());
  });
  app.get('/openapi.json', (_, response) => void response.json(openApi));
  app.use(feedRoutes(view));
  app.use(statusRoutes(view));
  app.use(intentRoutes(view));
  app.use(publicationRoutes(view));
  app.use(treeRoutes(view));
  app.use(telemetryRoutes(view));
  if (settings.consoleDirectory && existsSync(join(settings.consoleDirectory, 'index.html'))) {
    app.use(express.static(settings.consoleDirectory, { index: 'index.html', cacheControl: true, maxAge: 0 }));
  }
  app.use((request) => {
    throw new HttpProblem(404, `nothing is at ${request.method} ${request.path.slice(0, 200)}; see /openapi.json`);
  });
  app.use(problemHandler(settings.log));
  return app;
}

const securityHeaders: RequestHandler = (_, response, next) => {
  response.set({
    'Content-Security-Policy':
      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
  });
  next();
};

/** Health probes come by address, from machines that know no name, and are told nothing but a word. */
function hostCheck(hosts: readonly string[]): RequestHandler {
  const allowed = allowedHosts(hosts);
  return (request, _, next) => {
    const probe = request.path === '/healthz' || request.path === '/readyz';
    if (!probe && !isAllowedHost(request.headers.host, allowed)) {
      const found = JSON.stringify((request.headers.host ?? '').slice(0, 100));
      throw new HttpProblem(
        421,
        `host ${found} is not served here; add the name to allowedHosts in the server's config`,
      );
    }
    next();
  };
}

/** Everything but reading needs the token, on loopback too: every page in a browser on this machine reaches loopback. */
function tokenCheck(token: Token): RequestHandler {
  return (request, response, next) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      const presented = /^Bearer +(\S+)$/i.exec(request.get('Authorization') ?? '')?.[1];
      const bearer = presented === undefined ? null : token.bearerOf(presented);
      if (!bearer) {
        const found = presented === undefined ? 'no bearer token' : 'a wrong bearer token';
        throw new HttpProblem(401, `${found}; send "Authorization: Bearer ..." with the contents of the token file`, {
          'WWW-Authenticate': 'Bearer realm="taiji"',
        });
      }
      noteBearer(response, bearer);
    }
    next();
  };
}

function problemHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const { status, detail, headers, more } = answerTo(error);
    if (status >= 500 && !(error instanceof HttpProblem))
      log.error({ err: error, path: request.path }, 'a request failed');
    if (response.headersSent) {
      response.destroy(); // half an answer cannot be mended by another
      return;
    }
    response
      .status(status)
      .set(headers)
      .type('application/problem+json')
      .send(JSON.stringify(problemOf(status, detail, more)));
  };
}

interface Answer {
  readonly status: number;
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

function answerTo(error: unknown): Answer {
  if (error instanceof HttpProblem) {
    const { status, message: detail, headers, more } = error;
    return { status, detail, headers, more };
  }
  // Express and its body parser state what the client did wrong in `status`; anything else is ours and stays private.
  const status = (error as { status?: unknown } | null)?.status;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const detail =
      status === 413
        ? `the body is over ${bodyBytesMax} bytes`
        : 'the request could not be read: expected valid JSON and a valid path';
    return { status, detail, headers: {} };
  }
  return { status: 500, detail: 'the request failed; the log says why', headers: {} };
}
