/** What a dry run is held to: `utilizationMax < 0.85`, `rttMsP95 rise < 5`. A figure of every epoch, a bound, and with
 *  `rise` the figure less what it is without the change (under the other policy, by the table before). Declined: sums,
 *  quantiles and `and`: that is what the JSON report is for. */

import { didYouMean } from './did-you-mean.ts';
import { quoteStart } from './errors.ts';

/** Figures of one epoch; the last three count the epochs so far. */
export const assertableFigures = [
  'utilizationMax', // highest of all datacenters
  'utilizationGap', // that over the lowest highest the demand allows
  'rttMsMean',
  'rttMsP50',
  'rttMsP95',
  'churn', // forced and elective
  'churnForced',
  'churnElective',
  'churnDeferred',
  'datacentersInUse', // by at least one edge
  'shareMax', // largest share of all demand on one datacenter
  'connectionLocality',
  'segmentsWhole',
  'tiesCanMeet',
  'heldEpochs',
  'rejectedEpochs',
  'relaxedEpochs', // in which limits gave
] as const;

export type AssertableFigure = (typeof assertableFigures)[number];

const comparisons = ['<', '<=', '>', '>=', '=='] as const;

export interface Assertion {
  readonly text: string;
  readonly figure: AssertableFigure;
  readonly rise: boolean;
  readonly comparison: (typeof comparisons)[number];
  readonly bound: number;
}

export type ParsedAssertion =
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'wrong'; readonly message: string };

export function parseAssertion(text: string): ParsedAssertion {
  const wrong = (message: string): ParsedAssertion => ({ kind: 'wrong', message: `${quoteStart(text)}: ${message}` });
  const parts = /^\s*([^\s<>=!]+)(?:\s+([^\s<>=!]+))?\s*([<>=!]+)\s*(\S+)\s*$/.exec(text);
  if (!parts) return wrong('expected FIGURE [rise] < NUMBER, such as utilizationMax < 0.85 or rttMsP95 rise < 5');
  const [, name, word, sign, number] = parts as unknown as [string, string, string | undefined, string, string];
  const figure = assertableFigures.find((known) => known === name);
  if (figure === undefined) {
    const hint = didYouMean(name, assertableFigures);
    return wrong(`unknown figure ${quoteStart(name)}${hint}; expected ${assertableFigures.join(', ')}`);
  }
  if (word !== undefined && word !== 'rise') {
    return wrong(`${quoteStart(word)} after the figure${didYouMean(word, ['rise'])}; expected rise or nothing`);
  }
  const comparison = comparisons.find((known) => known === sign);
  if (comparison === undefined)
    return wrong(`${quoteStart(sign)} compares nothing; expected ${comparisons.join(', ')}`);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(number) || !Number.isFinite(Number(number))) {
    const percent = /^(\d+(?:\.\d+)?)%$/.exec(number);
    const mend = percent ? `; write ${Number((Number(percent[1]) / 100).toPrecision(12))} for ${number}` : '';
    return wrong(`${quoteStart(number)} is no number${mend}; expected one without a unit, such as 0.85`);
  }
  const bound = Number(number);
  return { kind: 'assertion', assertion: { text: text.trim(), figure, rise: word === 'rise', comparison, bound } };
}
