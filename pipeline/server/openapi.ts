/** The HTTP interface as OpenAPI 3.1, written beside the routes it describes (a test holds the two together). The
 *  intent's schema comes from the source that checks it. */

import { jsonSchemaOf } from '../../config/checked.ts';
import { edgeAckSchema } from '../../config/edge-ack.ts';
import { intentSchema } from '../../config/intent.ts';
import {
  applyRequestSchema,
  planRequestSchema,
  resumeRequestSchema,
  rollbackRequestSchema,
} from '../../config/publication-request.ts';
import { telemetryReportSchema } from '../../config/telemetry-report.ts';
import { reasonWords } from '../../runtime/explain.ts';
import { bucketWhys } from '../replay/bucket-explanation.ts';
import { alertReasons } from './alert.ts';
import {
  body,
  byDatacenter,
  json,
  nullable,
  number,
  object,
  type Plain,
  problems,
  sha256,
  share,
  text,
  time,
} from './openapi-parts.ts';
import { shadowFigures, shadowSchema } from './openapi-shadow.ts';
import { movedUsers, treePaths } from './openapi-trees.ts';

const epochWithout = object({
  epoch: { type: 'integer' },
  time: { ...time, description: "the epoch's start" },
  outcome: { enum: ['published', 'unchanged', 'held', 'rejected', 'initial'] },
  reason: { type: ['string', 'null'] },
  relaxed: { type: 'array', items: text, description: 'limits that had to give' },
  utilization: { ...byDatacenter, description: 'load over capacity by datacenter; empty where nothing was decided' },
  churn: object({ forced: share, elective: share, deferred: share, minimum: share }),
  version: { type: 'integer', description: 'of the table in force after the epoch; 0: none' },
  durationMs: number,
});
const epochSchema: Plain = {
  ...epochWithout,
  properties: { ...(epochWithout['properties'] as Plain), shadow: shadowFigures, treeMove: movedUsers },
};

const edgesSchema = object({
  service: text,
  version: { type: 'integer' },
  epoch: { type: 'integer', description: 'the last one that ended; -1: none yet' },
  nextTime: time,
  treeVersion: text,
  freshUntil: { type: ['string', 'null'], format: 'date-time' },
  alerts: { type: 'object', propertyNames: { enum: alertReasons }, additionalProperties: text },
  datacenters: {
    type: 'array',
    items: object({ datacenter: text, lat: number, lon: number, capacityRps: number, keep: share, cause: text }),
  },
  edges: {
    type: 'array',
    items: object({
      edge: text,
      city: text,
      lat: number,
      lon: number,
      demandRps: { type: ['number', 'null'] },
      fractions: { type: ['object', 'null'], additionalProperties: share },
      rttMs: byDatacenter,
      realised: {
        ...object({ distance: share, by: { enum: ['acks', 'telemetry'] } }),
        type: ['object', 'null'],
        description: "share of the edge's requests that went elsewhere than its table says, net; null: nobody knows",
      },
      sha256: { type: ['string', 'null'] },
      bytes: { type: ['integer', 'null'] },
      gzipBytes: { type: ['integer', 'null'] },
    }),
  },
});

const servedShare = object({ datacenter: text, share });

const explanationSchema = object({
  epoch: { type: 'integer' },
  time: { ...time, description: "the epoch's start" },
  outcome: { enum: ['published', 'unchanged', 'held', 'rejected', 'initial'] },
  reason: nullable(text),
  relaxed: { type: 'array', items: text },
  edge: text,
  city: text,
  demandRps: number,
  demandShare: share,
  datacenters: {
    type: 'array',
    description: 'most served first, then nearest',
    items: object({
      datacenter: text,
      rttMs: number,
      utilization: number,
      before: { ...nullable(number), description: 'fraction by the table before; null: there was none' },
      solved: share,
      wanted: share,
      served: share,
      sessions: {
        ...object({ count: number, by: { enum: ['telemetry', 'model'] } }),
        type: ['object', 'null'],
        description: 'of a sticky service, those that outlive the epoch there; null: stateless',
      },
      reason: { enum: [...reasonWords, null], description: 'why it gets nothing; null: it gets something' },
      detail: nullable(text),
      closerMs: { ...nullable(number), description: 'too-far: how much shorter the round trip would have to be' },
    }),
  },
  bucket: {
    ...object({
      bucket: { type: 'integer' },
      segment: object({ number: { type: 'integer' }, first: { type: 'integer' }, last: { type: 'integer' } }),
      demandShare: { ...share, description: 'of the edge' },
      before: { ...nullable(text), description: 'null: there was no table' },
      now: text,
      why: { enum: bucketWhys },
      detail: text,
      friendsAt: { type: 'array', description: 'of its users’ ties', items: servedShare },
      segmentAt: { type: 'array', description: 'of the demand of its segment at the edge', items: servedShare },
    }),
    type: ['object', 'null'],
    description: 'null: none was asked for',
  },
  since: { ...nullable(time), description: 'the epoch that changes count from; null: none is known' },
  changes: {
    type: 'array',
    items: object({
      input: { enum: ['demand', 'capacity', 'rtt', 'state', 'intent', 'policy'] },
      name: text,
      before: { type: ['string', 'number', 'null'] },
      after: { type: ['string', 'number', 'null'] },
      unit: { enum: ['rps', 'ms', null] },
    }),
  },
  guarded: { type: 'boolean', description: 'limits are those under the guards; false: the guards bind nothing' },
  limits: {
    type: 'array',
    description: 'what costs latency, dearest first',
    items: object({
      limit: { enum: ['level', 'utilizationMax', 'capacity', 'price', 'onloadMax', 'churnMax', 'shareMax', 'pin'] },
      datacenter: nullable(text),
      edge: nullable(text),
      value: number,
      more: text,
      savesMs: { ...number, description: 'of the mean over all users; under balance, ms squared over twice the mean' },
    }),
  },
  meanRttMs: { ...nullable(number), description: 'over all users, as solved' },
});

const serviceSchema = object({
  service: text,
  kind: { enum: ['stateless', 'sticky'] },
  solvedWith: { type: 'array', items: text, description: 'services that share a resource, itself too' },
  version: { type: 'integer' },
  epoch: { type: 'integer', description: 'the last one that ended; -1: none yet' },
  nextTime: time,
  freshUntil: { type: ['string', 'null'], format: 'date-time' },
  alerts: { type: 'object', propertyNames: { enum: alertReasons }, additionalProperties: text },
});

const versionSchema = object({
  service: text,
  version: { type: 'integer' },
  parent: { type: 'integer', description: 'the version in force before it; 0: none' },
  cause: { enum: ['epoch', 'plan', 'rollback', 'canary', 'promoted', 'returned'] },
  author: text,
  reason: text,
  inputsSha256: { type: ['string', 'null'], description: 'of the frozen inputs it was planned on, as in the journal' },
  plan: { type: ['string', 'null'], description: 'checksum of the plan that was applied' },
  restores: { type: ['integer', 'null'], description: 'the earlier version whose table it is' },
  term: { type: 'integer', description: 'of the leader that made it' },
  publishedAt: { type: ['string', 'null'], format: 'date-time' },
  epoch: { type: 'integer' },
  time: { ...time, description: "the epoch's start" },
  treeVersion: text,
  tableSha256: sha256,
});

const planSchema = object({
  id: text,
  checksum: sha256,
  service: text,
  origin: { enum: ['epoch', 'asked', 'file'] },
  author: text,
  createdAt: time,
  epoch: { type: 'integer', description: 'whose inputs it was made or looked at on' },
  inputsSha256: { type: ['string', 'null'] },
  base: object({ version: { type: 'integer' }, tableSha256: sha256 }),
  tableSha256: sha256,
  churn: object({ forced: share, elective: share, minimum: share }),
  moved: { type: 'array', items: object({ edge: text, share }), description: 'of the demand of each edge, most first' },
  utilization: { type: 'object', additionalProperties: object({ before: number, after: number }) },
  refusals: {
    type: 'array',
    description: 'what speaks against it',
    items: object({ limit: text, detail: text, forcible: { type: 'boolean' } }),
  },
});

const rolloutSchema: Plain = {
  type: 'object',
  properties: { kind: { enum: ['open', 'pinned', 'canary'] } },
  required: ['kind'],
  description:
    'pinned and canary say version, author, reason, since, until; a canary also plan, base, edges, undecided',
};

const doneSchema = object({
  service: text,
  version: { type: 'integer' },
  rollout: rolloutSchema,
  churn: { type: ['number', 'null'], description: 'share of demand that moves by it' },
  stored: { type: 'boolean', description: 'false: in force, and not on the disk yet' },
});

const service: Plain = { name: 'service', in: 'path', required: true, schema: text };
const ofService: Plain = {
  name: 'service',
  in: 'query',
  description: 'which one; may be left out where there is one',
  schema: text,
};
const envelopeHeader: Plain = {
  description: 'base64url JSON: service, edge, epoch, leader term, sequence, times, body SHA-256 and Ed25519 signature',
  schema: text,
};
const tableHeaders: Plain = {
  ETag: { description: 'strong, one an encoding', schema: text },
  'Taiji-Envelope': envelopeHeader,
  'Taiji-Version': { description: 'of the table in force', schema: text },
};

export const openApi = {
  openapi: '3.1.0',
  info: {
    title: 'Taiji',
    version: '1',
    description: 'Edge traffic control plane: tables for edges, epochs for people, intents from both.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  components: {
    securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    schemas: {
      Epoch: epochSchema,
      Edges: edgesSchema,
      Service: serviceSchema,
      Explanation: explanationSchema,
      Intent: jsonSchemaOf(intentSchema),
      Intents: object({
        intents: { type: 'array', items: reference('Intent') },
        waiting: {
          type: 'array',
          items: object({ intent: text, service: text, for: { type: 'array', items: text }, since: text }),
        },
        ended: {
          type: 'array',
          items: object({ intent: reference('Intent'), how: { enum: ['expired', 'withdrawn'] }, at: text }),
        },
      }),
      TakenIntent: object({
        intent: reference('Intent'),
        effectiveFrom: text,
        check: {
          type: ['object', 'null'],
          description: 'by service: utilization of each datacenter before and after; null: it could not be looked at',
        },
        refusals: { type: 'array', items: text },
      }),
      TelemetryReport: jsonSchemaOf(telemetryReportSchema),
      Version: versionSchema,
      Plan: planSchema,
      Done: doneSchema,
      EdgeAck: jsonSchemaOf(edgeAckSchema),
      Problem: object({ type: text, title: text, status: { type: 'integer' }, detail: text }),
    },
    responses: {
      problem: {
        description: 'What was found, and what is expected',
        content: { 'application/problem+json': { schema: reference('Problem') } },
      },
    },
  },
  paths: {
    '/v1/services/{service}/edges/{edge}/table': {
      get: {
        summary: "An edge's table",
        parameters: [
          service,
          { name: 'edge', in: 'path', required: true, schema: text },
          { name: 'wait', in: 'query', description: 'hold the answer until the body changes, up to 60s', schema: text },
          { name: 'If-None-Match', in: 'header', schema: text },
        ],
        responses: {
          200: { ...json({ type: 'object' }, 'The body'), headers: tableHeaders },
          304: { description: 'The body stands; the envelope is renewed', headers: tableHeaders },
          ...problems(400, 404, 503),
        },
      },
    },
    '/v1/services/{service}/tables/{version}': {
      get: {
        summary: 'One published version, all edges; "current" is the one in force',
        parameters: [service, { name: 'version', in: 'path', required: true, schema: text }],
        responses: {
          200: json(
            {
              allOf: [
                reference('Version'),
                object({
                  edges: { type: 'object', additionalProperties: object({ sha256, body: { type: 'object' } }) },
                }),
              ],
            },
            'The version',
          ),
          ...problems(404),
        },
      },
    },
    '/v1/services/{service}/tables': {
      get: {
        summary: 'Versions that were in force, newest first',
        parameters: [service, { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, default: 50 } }],
        responses: {
          200: json(object({ service: text, versions: { type: 'array', items: reference('Version') } }), 'Versions'),
          ...problems(400, 404),
        },
      },
    },
    '/v1/services/{service}/diff': {
      get: {
        summary: 'What changes from one version to another; "current" is the one in force',
        parameters: [
          service,
          { name: 'from', in: 'query', description: 'left out: the version before', schema: text },
          { name: 'to', in: 'query', schema: { ...text, default: 'current' } },
        ],
        responses: { 200: json({ type: 'object' }, 'The difference, edge by edge'), ...problems(404) },
      },
    },
    '/v1/services/{service}/shadow': {
      get: {
        summary: 'Of a control plane in shadow: what Taiji would change, over all epochs that are kept',
        parameters: [service],
        responses: { 200: json(shadowSchema, 'Both sides'), ...problems(404) },
      },
    },
    '/v1/services/{service}/rollout': {
      get: {
        summary: 'What publication is doing, and which edges have acknowledged their table',
        parameters: [service],
        responses: {
          200: json(
            object({
              service: text,
              version: { type: 'integer' },
              rollout: rolloutSchema,
              edges: {
                type: 'array',
                items: object({
                  edge: text,
                  sha256: { type: ['string', 'null'], description: 'of the body it is meant to have' },
                  applied: { type: ['object', 'null'], description: 'what it said last: sha256, at, heardAt' },
                  isCurrent: { type: 'boolean' },
                }),
              },
            }),
            'Now',
          ),
          ...problems(404),
        },
      },
    },
    ...treePaths,
    '/v1/services/{service}/rollback': {
      post: {
        summary: 'Go back to an earlier version, and hold there',
        security: [{ token: [] }],
        parameters: [service],
        requestBody: body(jsonSchemaOf(rollbackRequestSchema)),
        responses: { 200: json(reference('Done'), 'In force'), ...problems(401, 403, 404, 409, 415, 422, 503) },
      },
    },
    '/v1/services/{service}/resume': {
      post: {
        summary: 'End a hold: tables follow the plans again',
        security: [{ token: [] }],
        parameters: [service],
        requestBody: body(jsonSchemaOf(resumeRequestSchema)),
        responses: { 200: json(reference('Done'), 'Open'), ...problems(401, 403, 404, 409, 415, 422, 503) },
      },
    },
    '/v1/services/{service}/plans': {
      get: {
        summary: 'Plans that may be applied, newest first',
        parameters: [service],
        responses: {
          200: json(object({ service: text, plans: { type: 'array', items: reference('Plan') } }), 'Plans'),
          ...problems(404),
        },
      },
      post: {
        summary: 'Make a plan: of the table given (that of a plan file), or of what would move by choice now',
        security: [{ token: [] }],
        parameters: [service],
        requestBody: body(jsonSchemaOf(planRequestSchema)),
        responses: {
          200: json({ type: 'object' }, 'Nothing would move'),
          201: json(object({ service: text, plan: reference('Plan') }), 'The plan'),
          ...problems(401, 403, 404, 409, 413, 415, 422, 503),
        },
      },
    },
    '/v1/plans/{id}': {
      get: {
        summary: 'A plan, with its table',
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
        responses: { 200: json(reference('Plan'), 'The plan'), ...problems(404) },
      },
    },
    '/v1/plans/{id}/apply': {
      post: {
        summary: 'Put a plan into force',
        security: [{ token: [] }],
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
        requestBody: body(jsonSchemaOf(applyRequestSchema)),
        responses: { 200: json(reference('Done'), 'In force'), ...problems(401, 403, 404, 409, 415, 422, 503) },
      },
    },
    '/v1/edges/{edge}/acks': {
      post: {
        summary: 'An edge says which body it has applied, and how its requests fare by it',
        security: [{ token: [] }],
        parameters: [{ name: 'edge', in: 'path', required: true, schema: text }],
        requestBody: body(reference('EdgeAck')),
        responses: {
          202: json(object({ service: text, edge: text, isCurrent: { type: 'boolean' } }), 'Taken'),
          ...problems(400, 401, 404, 415, 422),
        },
      },
    },
    '/v1/keys': {
      get: {
        summary: 'Public keys of the envelopes, as a JWK set with PEM beside',
        responses: { 200: json(object({ keys: { type: 'array', items: { type: 'object' } } }), 'The keys') },
      },
    },
    '/v1/services': {
      get: {
        summary: 'The services of this control plane, and which of them are solved together',
        responses: { 200: json(object({ services: { type: 'array', items: reference('Service') } }), 'Services') },
      },
    },
    '/v1/epochs': {
      get: {
        summary: 'Recent epochs of a service, oldest first',
        parameters: [
          ofService,
          { name: 'since', in: 'query', description: 'after this epoch number, or from this time on', schema: text },
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, default: 288 } },
        ],
        responses: {
          200: json(object({ service: text, epochs: { type: 'array', items: reference('Epoch') } }), 'Epochs'),
          ...problems(400, 404),
        },
      },
    },
    '/v1/edges': {
      get: {
        summary: 'Where the traffic of each edge goes now',
        parameters: [ofService],
        responses: { 200: json(reference('Edges'), 'Now'), ...problems(400, 404) },
      },
    },
    '/v1/explain': {
      get: {
        summary: 'Why the traffic of an edge goes where it went in the last epoch',
        parameters: [
          ofService,
          { name: 'edge', in: 'query', required: true, schema: text },
          { name: 'datacenter', in: 'query', description: 'this one only', schema: text },
          { name: 'bucket', in: 'query', description: 'why this bucket goes where it goes there', schema: text },
        ],
        responses: { 200: json(reference('Explanation'), 'The last epoch decided'), ...problems(400, 404, 503) },
      },
    },
    '/v1/events': {
      get: {
        summary: 'Server-sent events: one "epoch" event an epoch and service, resumable with Last-Event-ID',
        parameters: [{ ...ofService, description: 'events of this one only' }],
        responses: {
          200: { description: 'The stream', content: { 'text/event-stream': { schema: text } } },
          ...problems(404, 503),
        },
      },
    },
    '/v1/intents': {
      get: {
        summary: 'Intents that have not ended, who waited for whom in the last epoch, and the last that ended',
        responses: { 200: json(reference('Intents'), 'Intents') },
      },
      post: {
        summary:
          'Hand in an intent; the id may be left out, and "for" and "over" (durations) stand in for until and schedule. One that the others cannot carry is refused (409) unless it has "force": true',
        security: [{ token: [] }],
        parameters: [
          { name: 'dryRun', in: 'query', required: false, schema: text, description: 'true: only check it (200)' },
        ],
        requestBody: { required: true, content: { 'application/json': { schema: reference('Intent') } } },
        responses: {
          200: json(reference('TakenIntent'), 'A dry run, or the same intent was there already'),
          201: json(reference('TakenIntent'), 'In force from effectiveFrom on'),
          ...problems(401, 403, 409, 413, 415, 422),
        },
      },
    },
    '/v1/intents/{id}': {
      delete: {
        summary: 'Withdraw an intent',
        security: [{ token: [] }],
        parameters: [
          { name: 'id', in: 'path', required: true, schema: text },
          { name: 'reason', in: 'query', required: false, schema: text },
          { name: 'author', in: 'query', required: false, schema: text, description: 'where the token has no name' },
        ],
        responses: { 204: { description: 'Withdrawn' }, ...problems(401, 404) },
      },
    },
    '/v1/telemetry': {
      post: {
        summary: 'Report what was observed, all or a part of it; counts from the next epoch on',
        security: [{ token: [] }],
        requestBody: { required: true, content: { 'application/json': { schema: reference('TelemetryReport') } } },
        responses: {
          202: json(
            object({
              accepted: { type: 'integer', description: 'values taken' },
              ignored: { type: 'integer', description: 'values of which a newer one is known' },
            }),
            'Taken',
          ),
          ...problems(401, 409, 413, 415, 422),
        },
      },
    },
    '/metrics': { get: { summary: 'Prometheus metrics', responses: { 200: plainText('Metrics') } } },
    '/healthz': { get: { summary: 'The process answers', responses: { 200: plainText('ok') } } },
    '/readyz': {
      get: {
        summary: 'A table of every service is published and fresh',
        responses: { 200: plainText('ready'), 503: plainText('what is missing') },
      },
    },
    '/openapi.json': { get: { summary: 'This document', responses: { 200: json({ type: 'object' }, 'OpenAPI 3.1') } } },
  },
} as const;

function reference(name: string): Plain {
  return { $ref: `#/components/schemas/${name}` };
}

function plainText(description: string): Plain {
  return { description, content: { 'text/plain': { schema: text } } };
}
