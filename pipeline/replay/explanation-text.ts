/** An explanation as lines for whoever is woken by it: what is served where and why not elsewhere, what changed, what is
 *  in short supply. */

import type { InputChange } from '../../runtime/input-changes.ts';
import type { BindingLimit } from '../../runtime/shadow-prices.ts';
import type { ExplainedBucket, ServedShare } from './bucket-explanation.ts';
import { aligned } from './comparison.ts';
import type { ExplainedDatacenter, Explanation } from './explanation.ts';

export function formatExplanation(explanation: Explanation): string[] {
  const { edge, city, time, outcome, reason, relaxed, demandRps, demandShare, since, changes } = explanation;
  const gave = relaxed.length > 0 ? `; gave: ${relaxed.join(', ')}` : '';
  return [
    `${edge} (${city}): ${demandRps.toFixed(1)} rps, ${(demandShare * 100).toFixed(2)} % of demand`,
    `epoch ${time}: ${outcome}${reason === null ? '' : ` (${reason})`}${gave}`,
    '',
    ...datacenterLines(explanation.datacenters),
    '',
    ...(explanation.bucket === null ? [] : [...bucketLines(explanation.bucket, edge), '']),
    ...(since === null
      ? ['Nothing is known of the epoch before.']
      : changes.length === 0
        ? [`No input changed since ${since}.`]
        : [`Changed since ${since}:`, ...indented(aligned(changes.map(changeCells)))]),
    '',
    ...limitLines(explanation),
  ];
}

function datacenterLines(datacenters: readonly ExplainedDatacenter[]): string[] {
  const isSticky = datacenters.some(({ sessions }) => sessions !== null);
  const stay = isSticky ? ['sessions that stay'] : [];
  const head = ['datacenter', 'rtt ms', 'utilization', 'before', 'solved', 'wanted', 'served', ...stay, 'why nothing'];
  const share = (value: number | null): string => (value === null ? '-' : value.toFixed(4));
  return indented(
    aligned([
      head,
      ...datacenters.map(
        ({ datacenter, rttMs, utilization, before, solved, wanted, served, sessions, reason, detail }) => [
          datacenter,
          rttMs.toFixed(1),
          utilization.toFixed(3),
          share(before),
          share(solved),
          share(wanted),
          share(served),
          ...(isSticky ? [sessions === null ? '-' : `${sessions.count.toFixed(1)} by ${sessions.by}`] : []),
          reason === null ? '' : `${reason}: ${detail}`,
        ],
      ),
    ]),
  );
}

function bucketLines(explained: ExplainedBucket, edge: string): string[] {
  const { bucket, segment, demandShare, before, now, why, detail, friendsAt, segmentAt } = explained;
  const shares = (of: readonly ServedShare[]): string =>
    of.map(({ datacenter, share }) => `${datacenter} ${share.toFixed(4)}`).join(', ') || 'none known here';
  return [
    `bucket ${bucket} of segment ${segment.number} (${segment.first}-${segment.last}): ${(demandShare * 100).toFixed(4)} % of ${edge}`,
    ...indented(
      aligned([
        ['served', before === null || before === now ? now : `${before} -> ${now}`],
        ['why', `${why}: ${detail}`],
        ['its friends', shares(friendsAt)],
        ['its segment here', shares(segmentAt)],
      ]),
    ),
  ];
}

function changeCells({ input, name, before, after, unit }: InputChange): string[] {
  const value = (side: string | number | null): string =>
    side === null ? 'none' : typeof side === 'number' ? side.toFixed(1) : side;
  const change =
    typeof before === 'number' && typeof after === 'number' && before > 0
      ? ` (${after >= before ? '+' : ''}${((after / before - 1) * 100).toFixed(1)} %)`
      : '';
  return [`${input} ${name}`, `${value(before)} -> ${value(after)}${unit === null ? '' : ` ${unit}`}${change}`];
}

function limitLines({ limits, guarded, meanRttMs }: Explanation): string[] {
  if (meanRttMs === null) return ['Nothing was solved, so nothing binds.'];
  const under = guarded ? 'under the guards' : 'no guard binds';
  if (limits.length === 0) return [`No limit costs latency (${under}).`];
  return [
    `What binds (${under}), and what more of it would save of the mean of all users, ${meanRttMs.toFixed(1)} ms:`,
    ...indented(aligned(limits.map(limitCells))),
    ...(limits.some(({ limit }) => limit === 'level') ? [squaredNote] : []),
  ];
}

const squaredNote =
  'Under balance squared latency counts: ms are ms squared over twice the mean, at the same utilization everywhere.';

function limitCells({ limit, datacenter, value, more, savesMs }: BindingLimit): string[] {
  const saves = savesMs >= 0.001 ? savesMs.toFixed(3) : 'under 0.001';
  return [`${datacenter === null ? '' : `${datacenter} `}${limit} ${shown(value)}`, `${more} saves ${saves} ms`];
}

function shown(value: number): string {
  return String(Math.round(value * 1e4) / 1e4);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
