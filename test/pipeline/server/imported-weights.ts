/** A small setting whose balancers send three quarters of every edge to the first datacenter and the rest to the second. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { importCommand } from '../../../pipeline/cli/import.ts';
import type { Setting } from './small-setting.ts';

/** Imports that as `today.json`. */
export async function importWeights({ directory, world }: Setting): Promise<void> {
  const at = (name: string): string => join(directory, name);
  const [first, second] = world.topology.datacenters;
  const rows = world.topology.edges.map(({ id }) => `${id},${first!.id},75\n${id},${second!.id},25\n`);
  writeFileSync(at('weights.csv'), `edge,datacenter,weight\n${rows.join('')}`);
  const files = [
    '--world',
    at('world'),
    '--policy',
    at('policy.yaml'),
    '--tree',
    at('tree'),
    '--out',
    at('today.json'),
  ];
  await printed(() => importCommand().parseAsync([at('weights.csv'), ...files], { from: 'user' }));
}

/** What `work` prints on stdout. */
export async function printed(work: () => Promise<unknown>): Promise<string> {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await work();
    return out.mock.calls.map(([text]) => text).join('');
  } finally {
    out.mockRestore();
  }
}
