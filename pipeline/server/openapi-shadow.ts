/** The comparison of a control plane in shadow, as the OpenAPI document describes it. */

import { byDatacenter, number, object, type Plain, share, text } from './openapi-parts.ts';

const sideSchema = object({
  utilization: byDatacenter,
  rttMs: object({ mean: number, p95: number }),
  connectionLocality: { type: ['number', 'null'], description: 'estimated; null: the tree knows no ties' },
});

/** Of one epoch. */
export const shadowFigures: Plain = {
  description: 'in shadow: this epoch beside what edges do today',
  oneOf: [
    object({ kind: { const: 'compared' }, today: sideSchema, taiji: sideSchema, elsewhere: share }),
    object({ kind: { const: 'unknown' }, reason: text }),
  ],
};

const spread = object({ mean: number, worst: number, last: number });
const reportedSide: Plain = {
  ...object({
    utilizationMax: spread,
    rttMs: object({ mean: spread, p95: spread }),
    connectionLocality: { ...spread, type: ['object', 'null'] },
  }),
  type: ['object', 'null'],
};

export const shadowSchema = object({
  service: text,
  from: { type: ['string', 'null'], format: 'date-time', description: 'start of the first epoch that is known' },
  to: { type: ['string', 'null'], format: 'date-time' },
  epochs: { type: 'integer' },
  compared: { type: 'integer', description: 'of them' },
  unknown: { type: ['string', 'null'], description: 'why the last one could not be compared' },
  today: reportedSide,
  taiji: reportedSide,
  elsewhere: {
    ...spread,
    type: ['object', 'null'],
    description: 'least share of demand that Taiji’s table has elsewhere than today',
  },
  moved: {
    ...object({ firstHour: number, hourAfter: { type: ['number', 'null'] }, epochMax: share }),
    description: 'shares of demand that Taiji would have moved; hourAfter: mean of an hour since the first',
  },
});
