/** The HTTP interface as OpenAPI 3.1, written beside the routes it describes (a test holds the two together). The
 *  intent's schema comes from the source that checks it. */

import { jsonSchemaOf } from '../../config/checked.ts';
import { edgeAckSchema } from '../../config/edge-ack.ts';
import { intentSchema } from '../../config/intent.ts';
import { telemetryReportSchema } from '../../config/telemetry-report.ts';
import { alertReasons } from './alert.ts';
import { explanationSchema } from './openapi-explanation.ts';
import {
  byDatacenter,
  json,
  number,
  object,
  type Plain,
  problems,
  reference,
  service,
  share,
  text,
  time,
} from './openapi-parts.ts';
import {
  doneSchema,
  planSchema,
  publicationPaths,
  rolloutPath,
  versionPaths,
  versionSchema,
} from './openapi-publication.ts';
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
    ...versionPaths,
    '/v1/services/{service}/shadow': {
      get: {
        summary: 'Of a control plane in shadow: what Taiji would change, over all epochs that are kept',
        parameters: [service],
        responses: { 200: json(shadowSchema, 'Both sides'), ...problems(404) },
      },
    },
    ...rolloutPath,
    ...treePaths,
    ...publicationPaths,
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

function plainText(description: string): Plain {
  return { description, content: { 'text/plain': { schema: text } } };
}
