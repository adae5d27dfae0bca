/** The HTTP server's own life: how long it waits for whom, and how it ends. */

import type { Server } from 'node:http';
import { ConfigError } from '../../../config/errors.ts';
import type { ServerSpec } from '../../../config/server.ts';

/** Rejects with a ConfigError where it cannot listen there. */
export function listen(server: Server, { host, port }: ServerSpec['listen']): Promise<Server> {
  server.keepAliveTimeout = 75_000; // longer than the minute after which most proxies close theirs
  server.headersTimeout = 20_000;
  server.requestTimeout = 30_000; // to receive a request; answers may take as long as a client waits
  return new Promise((resolveListening, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
      reject(new ConfigError(`listen ${host}:${port}: ${why}; choose another port or host`));
    });
    server.listen(port, host, () => resolveListening(server));
  });
}

export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolveClosed) => server.close(() => resolveClosed()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), 2000);
  await closed;
  clearTimeout(timer);
}
