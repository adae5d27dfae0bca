/** Versions, plans and what becomes of them, as the OpenAPI document describes them. */

import { jsonSchemaOf } from '../../config/checked.ts';
import {
  applyRequestSchema,
  planRequestSchema,
  resumeRequestSchema,
  rollbackRequestSchema,
} from '../../config/publication-request.ts';
import {
  body,
  json,
  number,
  object,
  type Plain,
  problems,
  reference,
  service,
  sha256,
  share,
  text,
  time,
} from './openapi-parts.ts';

export const versionSchema = object({
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

export const planSchema = object({
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

export const doneSchema = object({
  service: text,
  version: { type: 'integer' },
  rollout: rolloutSchema,
  churn: { type: ['number', 'null'], description: 'share of demand that moves by it' },
  stored: { type: 'boolean', description: 'false: in force, and not on the disk yet' },
});

export const versionPaths: Plain = {
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
};

export const rolloutPath: Plain = {
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
};

export const publicationPaths: Plain = {
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
};
