/** Bucket trees, as the OpenAPI document describes them. */

import { jsonSchemaOf } from '../../config/checked.ts';
import { activateRequestSchema, treeRollbackRequestSchema } from '../../config/tree-request.ts';
import {
  body,
  json,
  nullable,
  number,
  object,
  type Plain,
  problems,
  service,
  share,
  text,
  time,
} from './openapi-parts.ts';

const integer: Plain = { type: 'integer' };
const flag: Plain = { type: 'boolean' };

/** Of one epoch. */
export const movedUsers: Plain = {
  ...object({ users: { ...integer, description: 'whose bucket changed' }, churn: share }),
  description:
    'users passed to another tree; churn is the share of demand that changed datacenter by it, besides `churn`',
};

const treesSchema: Plain = {
  description: 'which bucket tree a user goes by: `next` where isOnNextTree(user, cut) of taiji/lookup, else `tree`',
  ...object({
    service: text,
    kind: { enum: ['settled', 'moving'] },
    height: integer,
    tree: { ...text, description: 'version' },
    next: { ...nullable(text), description: 'version; null: no move is under way' },
    cut: { ...integer, description: '0 .. 2^32' },
    before: { ...nullable(text), description: 'version that a rollback goes to; null: there is none' },
    direction: { enum: ['on', 'back', null], description: 'of the cut' },
    asked: { ...nullable(object({ author: text, reason: text, since: time })), description: 'for the last move' },
    progress: nullable(
      object({
        moved: { ...integer, description: 'users whose bucket is another one now' },
        of: { ...integer, description: 'users whose bucket will be, once all have passed' },
        epochs: { ...integer, description: 'that moved somebody' },
        epochsLeft: { ...nullable(integer), description: 'about; null: no epoch since the start' },
        churn: { ...number, description: 'share of demand that changed datacenter by it, epoch after epoch' },
        standstill: { ...nullable(text), description: 'why nobody passes now' },
      }),
    ),
  }),
};

const moveSchema = object({
  service: text,
  begun: { ...flag, description: 'false: only looked at' },
  stored: { ...flag, description: 'false: begun, and not on the disk yet; or not begun' },
  warning: nullable(text),
  standstill: { ...nullable(text), description: 'why nobody would pass now' },
  plan: object({
    from: text,
    to: text,
    direction: { enum: ['on', 'back'] },
    users: { ...integer, description: 'whose bucket changes' },
    usersAll: integer,
    churn: { ...share, description: 'of demand that changes datacenter, were they all to pass now' },
    epochs: { ...integer, description: 'about' },
    seconds: { ...number, description: "about, of the world's time" },
    locality: {
      ...nullable(object({ segmentLevel: integer, from: share, to: share })),
      description: 'share of tie weight within segments, by either tree; null: one does not say',
    },
  }),
});

const version: Plain = { name: 'version', in: 'path', required: true, schema: { ...text, pattern: '^[0-9a-f]{64}$' } };

export const treePaths = {
  '/v1/services/{service}/tree': {
    get: {
      summary: 'Which bucket tree a user goes by',
      parameters: [service],
      responses: { 200: json(treesSchema, 'Now'), ...problems(404) },
    },
    post: {
      summary: 'Pass to another bucket tree, as fast as churnMax allows',
      security: [{ token: [] }],
      parameters: [service],
      requestBody: body(jsonSchemaOf(activateRequestSchema)),
      responses: { 200: json(moveSchema, 'Begun'), ...problems(401, 403, 404, 409, 415, 422, 503) },
    },
  },
  '/v1/services/{service}/tree/rollback': {
    post: {
      summary: 'Go back to the tree before, or where a move is under way to where it began, as slowly',
      security: [{ token: [] }],
      parameters: [service],
      requestBody: body(jsonSchemaOf(treeRollbackRequestSchema)),
      responses: { 200: json(moveSchema, 'Begun'), ...problems(401, 403, 404, 409, 415, 422, 503) },
    },
  },
  '/v1/trees/{version}': {
    put: {
      summary: 'Hand in a tree, to be activated',
      security: [{ token: [] }],
      parameters: [version],
      requestBody: {
        required: true,
        content: { 'application/octet-stream': { schema: { ...text, format: 'binary' } } },
      },
      responses: { 201: json(object({ tree: text }), 'Kept'), ...problems(400, 401, 413, 415, 422) },
    },
  },
} as const;
