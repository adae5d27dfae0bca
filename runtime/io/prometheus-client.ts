/** Asks a Prometheus: one round of instant queries an epoch, all of one moment. Never rejects: whatever goes wrong on the
 *  way is an answer that failed, in words. */

import type { Topology } from '../../config/topology.ts';
import {
  type PrometheusAnswer,
  type PrometheusSignal,
  parsePrometheusAnswer,
  prometheusTelemetry,
} from '../prometheus.ts';
import type { Telemetry } from '../telemetry.ts';

export interface PrometheusSource {
  readonly url: string; // of the server, with the prefix of its routes where it has one
  readonly queries: ReadonlyMap<PrometheusSignal, string>; // PromQL
  readonly timeoutMs: number; // of each query
}

const answerBytesMax = 16_777_216;

/** What the fleet says at `nowMs`, wall clock. */
export async function readPrometheus(source: PrometheusSource, topology: Topology, nowMs: number): Promise<Telemetry> {
  const answers = await Promise.all(
    [...source.queries].map(async ([signal, query]) => [signal, await ask(source, query, nowMs)] as const),
  );
  return prometheusTelemetry(new Map(answers), topology);
}

async function ask({ url, timeoutMs }: PrometheusSource, query: string, nowMs: number): Promise<PrometheusAnswer> {
  const target = new URL('api/v1/query', url.endsWith('/') ? url : `${url}/`);
  target.search = new URLSearchParams({ query, time: String(nowMs / 1000), timeout: `${timeoutMs}ms` }).toString();
  try {
    const response = await fetch(target, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
      headers: { Accept: 'application/json' },
    });
    return parsePrometheusAnswer(response.status, await textOf(response));
  } catch (error) {
    return { kind: 'failed', message: reasonOf(error, timeoutMs) };
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new Error(`the answer is over ${answerBytesMax} bytes; aggregate it`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** fetch says "fetch failed" of everything and hides why in the cause. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  const cause = error.cause as { readonly code?: unknown; readonly message?: unknown } | undefined;
  return String(cause?.code ?? cause?.message ?? error.message);
}
