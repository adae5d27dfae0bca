/** What one edge is given: a body that says where every bucket goes, and an envelope that says which body is in force.
 *
 *  The body's SHA-256 is its version and its ETag; an unchanged table renews its envelope only. Both are canonical JSON:
 *  readable at an edge at three in the morning, and about 8 KB gzipped at worst (16,384 buckets at random over 10
 *  datacenters), so a binary format was declined. Hashes are of the text before compression. */

import { createHash } from 'node:crypto';
import { ConfigError } from '../../config/errors.ts';
import { type FallbackTarget, fallbackChoices, fallbackFor, fallbackShift } from '../../config/fallback.ts';
import { type EdgeId, edgeId } from '../../config/ids.ts';
import type { Topology } from '../../config/topology.ts';
import { decodeAssignment, encodeAssignment } from './assignment-code.ts';
import { canonicalJson, type Json } from './canonical-json.ts';
import type { Ceilings } from './ceilings.ts';
import { decodeTargets, type RoutingTable, type Target } from './routing-table.ts';

/** As an edge sees it. */
export interface EdgeTable {
  readonly edge: EdgeId;
  readonly treeVersion: string;
  readonly height: number; // buckets = 2^height
  readonly targets: readonly Target[];
  readonly assignment: Uint8Array; // [bucket] index into targets
  readonly fallback: EdgeFallback;
}

/** Who takes over at this edge when a datacenter dies (the rule of config/fallback.ts, spelled out for those who do not
 *  know it): of group bucket >>> shift the first, or where the first is the dead one the second. */
export interface EdgeFallback {
  readonly weights: readonly number[]; // [target] capacity, rps
  readonly first: Uint8Array; // [group] index into targets
  readonly second: Uint8Array; // [group]; the same as first where there is only one
}

export interface CompiledBody {
  readonly edge: EdgeId;
  readonly version: string; // SHA-256 (hex) of `body`
  readonly body: string;
}

/** [edge] in topology order. Only datacenters that are free to take more at the edge (ceiling 1) take over there. Changes
 *  with topology, height, states and residency only: make it once, not every epoch. */
export function makeFallbacks(topology: Topology, height: number, ceilings: Ceilings): readonly EdgeFallback[] {
  return topology.edges.map(({ id }, e) => {
    const weights = topology.datacenters.map(({ capacityRps }, d) =>
      ceilings[e * topology.datacenters.length + d] === 1 ? capacityRps : 0,
    );
    const targets = fallbackTargets(
      topology.datacenters.map(({ id: datacenter }) => ({ datacenter })),
      weights,
    );
    return { weights, ...fallbackChoices(id, height, targets) };
  });
}

export function compileBody(table: RoutingTable, e: number, fallback: EdgeFallback): CompiledBody {
  const targetCount = table.targets.length;
  const body = canonicalJson({
    format: bodyFormat,
    edge: table.edges[e]!,
    treeVersion: table.treeVersion,
    height: table.height,
    targets: table.targets.map(({ datacenter, via }) => ({ datacenter, via })),
    assignment: encodeAssignment(table.byEdge[e]!, targetCount),
    fallback: {
      weights: fallback.weights,
      first: encodeAssignment(fallback.first, targetCount),
      second: encodeAssignment(fallback.second, targetCount),
    },
  });
  return { edge: table.edges[e]!, version: createHash('sha256').update(body).digest('hex'), body };
}

/** Every edge's body. Edges whose assignment is the same array as in `last` keep their body: an epoch changes few. */
export function compileTable(
  table: RoutingTable,
  fallbacks: readonly EdgeFallback[],
  last: CompiledTable | null = null,
): CompiledTable {
  const isSame = (e: number): boolean =>
    last !== null &&
    last.fallbacks === fallbacks &&
    last.table.treeVersion === table.treeVersion &&
    last.table.targets === table.targets &&
    last.table.edges === table.edges &&
    last.table.byEdge[e] === table.byEdge[e];
  const bodies = table.edges.map((_, e) => (isSame(e) ? last!.bodies[e]! : compileBody(table, e, fallbacks[e]!)));
  return { table, fallbacks, bodies };
}

export interface CompiledTable {
  readonly table: RoutingTable;
  readonly fallbacks: readonly EdgeFallback[];
  readonly bodies: readonly CompiledBody[]; // [edge]
}

/** Throws a ConfigError, beginning with `where`, where `body` is not as `compileBody` writes it. */
export function parseBody(body: string, where: string): EdgeTable {
  const fields = object(parseJson(body, where), where);
  if (fields('format') !== bodyFormat) {
    throw new ConfigError(`${where}: format is ${JSON.stringify(fields('format'))}, expected "${bodyFormat}"`);
  }
  const height = fields('height');
  if (typeof height !== 'number' || !Number.isInteger(height) || height < 0 || height > 16) {
    throw new ConfigError(`${where}: height is ${JSON.stringify(height)}, expected a whole number 0..16`);
  }
  const targets = decodeTargets(fields('targets'), where);
  const fallback = object(fields('fallback'), `${where}: fallback`);
  const weights = fallback('weights');
  if (!isWeights(weights, targets.length)) {
    throw new ConfigError(`${where}: fallback weights are not ${targets.length} numbers of 0 or more`);
  }
  const groupCount = 1 << (height - fallbackShift(height));
  const decode = (value: unknown, count: number, what: string): Uint8Array =>
    decodeAssignment(text(value, `${where}: ${what}`), count, targets.length, `${where}: ${what}`);
  return {
    edge: edgeId(text(fields('edge'), `${where}: edge`), where),
    treeVersion: text(fields('treeVersion'), `${where}: treeVersion`),
    height,
    targets,
    assignment: decode(fields('assignment'), 1 << height, 'assignment'),
    fallback: {
      weights,
      first: decode(fallback('first'), groupCount, 'first fallback'),
      second: decode(fallback('second'), groupCount, 'second fallback'),
    },
  };
}

/** The target of `bucket` while the targets for which `isAlive` fails are out: its own, else the first or second choice,
 *  else whoever the rule names next. -1: nobody is left. */
export function targetOf(table: EdgeTable, bucket: number, isAlive: (target: number) => boolean): number {
  const own = table.assignment[bucket]!;
  if (isAlive(own)) return own;
  const { weights, first, second } = table.fallback;
  const group = bucket >>> fallbackShift(table.height);
  for (const choice of [first[group]!, second[group]!]) if (weights[choice]! > 0 && isAlive(choice)) return choice;
  return fallbackFor(table.edge, bucket, table.height, fallbackTargets(table.targets, weights), isAlive);
}

/** Which body is in force at an edge, since when and until when it is fresh. */
export interface Envelope {
  readonly format: 'taiji-envelope/1';
  readonly service: string;
  readonly edge: string;
  readonly epoch: number;
  readonly term: number; // of the leader that published it
  readonly sequence: number; // of the edge's envelopes, without gaps or returns
  readonly generatedAtMs: number;
  readonly freshUntilMs: number; // past it edges alert and go on
  readonly bodySha256: string;
}

export interface SignedEnvelope extends Envelope {
  readonly signature: string; // base64, Ed25519 over the bytes of `canonicalEnvelope`
}

/** The exact text that is signed, UTF-8: the envelope's fields alone, whatever else the object carries. */
export function canonicalEnvelope(envelope: Envelope): string {
  const { format, service, edge, epoch, term, sequence, generatedAtMs, freshUntilMs, bodySha256 } = envelope;
  return canonicalJson({
    format,
    service,
    edge,
    epoch,
    term,
    sequence,
    generatedAtMs,
    freshUntilMs,
    bodySha256,
  } satisfies Record<keyof Envelope, Json>);
}

const bodyFormat = 'taiji-edge-table/1';

function fallbackTargets(targets: readonly Target[], weights: readonly number[]): FallbackTarget[] {
  return targets.map(({ datacenter }, d) => ({ datacenter, weight: weights[d]! }));
}

function isWeights(value: unknown, count: number): value is readonly number[] {
  return (
    Array.isArray(value) && value.length === count && value.every((weight) => typeof weight === 'number' && weight >= 0)
  );
}

function parseJson(body: string, where: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ConfigError(`${where}: not JSON; the body is cut short or damaged`);
  }
}

function object(value: unknown, where: string): (key: string) => unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError(`${where}: found ${JSON.stringify(value) ?? 'nothing'}, expected an object`);
  }
  const fields = new Map<string, unknown>(Object.entries(value));
  return (key) => fields.get(key);
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string') throw new ConfigError(`${where}: not text; the body is damaged`);
  return value;
}
