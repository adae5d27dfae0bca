/** Why an edge's traffic goes where it goes, as the OpenAPI document describes it. */

import { reasonWords } from '../../runtime/explain.ts';
import { bucketWhys } from '../replay/bucket-explanation.ts';
import { nullable, number, object, share, text, time } from './openapi-parts.ts';

const servedShare = object({ datacenter: text, share });

export const explanationSchema = object({
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
