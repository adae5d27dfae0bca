/** A world small enough to read, as files on disk, for tests that spoil one of them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export const smallWorldFiles: Readonly<Record<string, string>> = {
  'edges.csv': 'edge,city,lat,lon\nfra,Frankfurt,50.11,8.68\nnyc,"New York, NY",40.71,-74.01\n',
  'datacenters.csv': 'datacenter,lat,lon,capacity_rps\nashburn,39.04,-77.49,900\ndublin,53.35,-6.26,600\n',
  'latency.csv': 'edge,datacenter,rtt_ms\nfra,ashburn,92.5\nfra,dublin,25\nnyc,ashburn,8\nnyc,dublin,71\n',
  'demand.csv':
    'time,fra,nyc\n2026-03-02T00:00:00Z,400,100\n2026-03-02T00:05:00Z,410,90\n2026-03-02T00:10:00Z,0,80.5\n',
  'events.csv': 'time,datacenter,state\n2026-03-02T00:05:00Z,dublin,abnormal\n2026-03-02T00:10:00Z,dublin,normal\n',
  'users.csv': 'user,home_edge,weight\nu1,fra,0.5\nu2,nyc,1.25\nu3,fra,2\n',
  'friends.csv': 'user,friend\nu1,u2\nu3,u1\n',
};

/** A fresh directory, gone after the test. */
export function scratchDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'taiji-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes the small world with some files replaced, or left out where null. */
export function smallWorld(changes: Readonly<Record<string, string | Uint8Array | null>> = {}): string {
  const dir = scratchDirectory();
  for (const [name, contents] of Object.entries({ ...smallWorldFiles, ...changes })) {
    if (contents !== null) writeFileSync(join(dir, name), contents);
  }
  return dir;
}

/** The message of what `action` throws; a test fails where it throws nothing. */
export function complaintOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError') return error.message;
    throw error;
  }
  throw new Error('expected a ConfigError, none was thrown');
}
