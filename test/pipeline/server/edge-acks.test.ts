/** What edges say counts once, for the side and the time it is of. */

import { expect, test } from 'vitest';
import { EdgeAcks } from '../../../pipeline/server/edge-acks.ts';

const [old, fresh] = ['a'.repeat(64), 'b'.repeat(64)];
const appliedAt = '2026-03-05T12:00:00Z';
const health = (requests: number) => ({ requests, errors: 1, latencyMs: 40 });
const canary = new Set(['fra']);
const isNew = (_: string, sha256: string): boolean => sha256 === fresh;

test('reports before a canary are what it is compared with, as far back as it lasts', () => {
  const acks = new EdgeAcks();
  acks.take('fra', { sha256: old, appliedAt, health: health(1) }, 1000);
  acks.take('fra', { sha256: old, appliedAt, health: health(10) }, 5000);
  acks.take('nyc', { sha256: old, appliedAt, health: health(100) }, 5500);
  const begun = acks.begin(canary, 6000, 2000);
  expect(begun.canary).toMatchObject({ before: { requests: 10, reports: 1 }, during: { requests: 0 } });
  expect(begun.control).toMatchObject({ before: { requests: 100 }, during: { requests: 0 } });
});

test('reports since count once, and those of a canary edge only by its new table', () => {
  const acks = new EdgeAcks();
  acks.take('fra', { sha256: old, appliedAt, health: health(1) }, 1);
  let evidence = acks.begin(canary, 2, 1000);
  acks.take('fra', { sha256: old, appliedAt, health: health(10) }, 3); // not applied yet
  acks.take('fra', { sha256: fresh, appliedAt, health: health(100) }, 4);
  acks.take('nyc', { sha256: old, appliedAt, health: health(1000) }, 5);
  acks.take('nyc', { sha256: old, appliedAt }, 6); // says nothing of its requests
  evidence = acks.added(evidence, canary, isNew);
  evidence = acks.added(evidence, canary, isNew);
  expect(evidence.canary).toMatchObject({ before: { requests: 1 }, during: { requests: 100, reports: 1, errors: 1 } });
  expect(evidence.control.during).toMatchObject({ requests: 1000, reports: 1, latencyMsSum: 40_000 });
  acks.take('fra', { sha256: fresh, appliedAt, health: health(5) }, 7);
  expect(acks.added(evidence, canary, isNew).canary.during).toMatchObject({ requests: 105, reports: 2 });
});

test('what an edge said last is what it has', () => {
  const acks = new EdgeAcks();
  expect(acks.of('fra')).toBe(null);
  acks.take('fra', { sha256: old, appliedAt }, 1);
  acks.take('fra', { sha256: fresh, appliedAt }, 2);
  expect(acks.of('fra')).toEqual({ sha256: fresh, appliedAtMs: Date.parse(appliedAt), heardAtMs: 2 });
});

test('through bytes nothing is lost or counted twice: neither a report before the last evidence nor one after it', () => {
  const first = new EdgeAcks();
  first.take('fra', { sha256: fresh, appliedAt, health: health(1) }, 1000);
  first.take('nyc', { sha256: old, appliedAt, health: health(10) }, 2000);
  const evidence = first.begin(canary, 2500, 10_000);
  first.take('fra', { sha256: fresh, appliedAt, health: health(100) }, 3000);
  const seen = first.added(evidence, canary, isNew); // in the head of the epoch at 3500
  first.take('nyc', { sha256: old, appliedAt, health: health(1000) }, 4000);
  const next = new EdgeAcks(JSON.parse(JSON.stringify(first.remembered(0))), 3500);
  expect(next.of('fra')).toEqual(first.of('fra'));
  next.take('fra', { sha256: fresh, appliedAt, health: health(10_000) }, 5000);
  const after = next.added(seen, canary, isNew);
  expect(after.canary.during).toMatchObject({ requests: 10_100, reports: 2 });
  expect(after.control.during).toMatchObject({ requests: 1000, reports: 1 });
  expect(next.begin(canary, 6000, 4500).control.before).toMatchObject({ requests: 1010 });
  expect(first.remembered(3000).reports.map(({ atMs }) => atMs)).toEqual([4000]); // as far back as a canary asks
});
