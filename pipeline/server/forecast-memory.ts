/** What a forecaster learnt of its edges, as bytes that outlive a restart: a season takes a week to learn. A line of JSON
 *  that names edges and sizes, then numbers. By the name of an edge, so that a fleet that grows forgets nothing. Declined:
 *  as text with the rest of what telemetry remembers (four thousand numbers an edge, written every epoch). */

import type { Topology } from '../../config/topology.ts';
import type { EdgeForecast, ForecastState } from '../../runtime/forecast.ts';

interface Head {
  readonly format: typeof format;
  readonly epochMs: number;
  readonly sizes: readonly number[]; // of the series of an edge
  readonly edges: readonly string[];
}

const format = 1;
const lineEnd = 0x0a;
const numbers = ['lastMs', 'lastRps', 'judged', 'residualRps', 'residuals'] as const;
const series = ['level', 'slope', 'errorRps', 'day', 'dayVisits', 'week', 'weekVisits'] as const;

export function encodeForecast({ edges }: ForecastState, topology: Topology, epochMs: number): Uint8Array {
  const head: Head = { format, epochMs, sizes: sizesOf(edges[0]), edges: topology.edges.map(({ id }) => id) };
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  const values = edges.flatMap((edge) => [
    edge.firstMs ?? Number.NaN,
    ...numbers.map((name) => edge[name]),
    ...series.flatMap((name) => edge[name]),
  ]);
  const bytes = new Uint8Array(line.length + 8 * values.length);
  bytes.set(line);
  const view = new DataView(bytes.buffer, line.length);
  for (const [i, value] of values.entries()) view.setFloat64(8 * i, value, true);
  return bytes;
}

/** `like`: the state of a forecaster that has seen nothing. [edge of `topology`], null for one that was not known then;
 *  null where the bytes are of another version of this file, of other epochs, or cut off: then all is learnt anew. */
export function decodeForecast(
  bytes: Uint8Array,
  topology: Topology,
  epochMs: number,
  like: ForecastState,
): { readonly edges: readonly (EdgeForecast | null)[] } | null {
  const lineLength = bytes.indexOf(lineEnd) + 1;
  if (lineLength === 0) return null;
  const head: Head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, lineLength)));
  const sizes = sizesOf(like.edges[0]);
  const perEdge = 1 + numbers.length + sizes.reduce((sum, size) => sum + size, 0);
  const isSame = head.format === format && head.epochMs === epochMs && head.sizes.join() === sizes.join();
  if (!isSame || bytes.length !== lineLength + 8 * perEdge * head.edges.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + lineLength);
  const readAt = (at: number): EdgeForecast => {
    let next = at;
    const take = (): number => view.getFloat64(8 * next++, true);
    const firstMs = take();
    const single = Object.fromEntries(numbers.map((name) => [name, take()]));
    const many = Object.fromEntries(series.map((name, s) => [name, Array.from({ length: sizes[s]! }, take)]));
    return { firstMs: Number.isNaN(firstMs) ? null : firstMs, ...single, ...many } as EdgeForecast;
  };
  return {
    edges: topology.edges.map(({ id }) => {
      const found = head.edges.indexOf(id);
      return found < 0 ? null : readAt(found * perEdge);
    }),
  };
}

function sizesOf(edge: EdgeForecast | undefined): number[] {
  return series.map((name) => edge?.[name].length ?? 0);
}
