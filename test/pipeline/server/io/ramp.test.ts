/** Coming aboard bit by bit on the real control plane: from the imported table, through shares of the buckets, and back. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { journalFiles } from '../../../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../../../pipeline/server/io/recorded-file.ts';
import { parseBody } from '../../../../pipeline/table/compile.ts';
import { decodeTable } from '../../../../pipeline/table/routing-table.ts';
import { importWeights } from '../imported-weights.ts';
import { run, service, smallSetting, type Told } from '../small-setting.ts';

const setting = smallSetting();
const at = (name: string): string => join(setting.directory, name);
writeFileSync(join(at('world'), 'events.csv'), 'time,datacenter,state\n');
const { edges } = setting.world.topology;

const config = { policy: 'ramp.yaml', firstTable: 'today.json', dataDirectory: 'ramped' };

function writePolicy(ramp: object): void {
  const spec = { ramp, guards: { churnMax: 0.2 } };
  writeFileSync(at('ramp.yaml'), stringify({ apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service }, spec }));
}

/** Serves with the ramp until `holds`; what each edge fetches then, bucket by bucket. */
async function serve(ramp: object, holds: (epoch: Told) => boolean): Promise<readonly (readonly number[])[]> {
  writePolicy(ramp);
  const server = await run(setting, config);
  await server.epoch(holds);
  const bodies = await Promise.all(
    edges.map(async ({ id }) => (await fetch(`${server.url}/v1/services/${service}/edges/${id}/table`)).text()),
  );
  await server.stop();
  return bodies.map((body) => [...parseBody(body, 'edge').assignment]);
}

test('today’s table is version 1, a share moves its buckets alone, and 0 is today’s table again; all of it replays', async () => {
  await importWeights(setting);
  const today = decodeTable(JSON.parse(readFileSync(at('today.json'), 'utf8')).table, 'today').byEdge.map((row) => [
    ...row,
  ]);
  expect(await serve({ share: 0 }, ({ version }) => version === 1)).toEqual(today);
  const [edge] = edges;
  const ramped = await serve({ share: 0.5, edges: [edge!.id] }, ({ version }) => version > 1);
  const moved = (rows: readonly (readonly number[])[], e: number) =>
    rows[e]!.filter((d, b) => d !== today[e]![b]).length;
  expect(moved(ramped, 0)).toBeGreaterThan(0);
  expect(moved(ramped, 0)).toBeLessThanOrEqual(32);
  for (const e of [1, 2, 3]) expect(ramped[e]).toEqual(today[e]);
  const back = await serve({ share: 0 }, ({ reason, epoch }) => epoch > 0 && reason === 'nothing-to-move');
  expect(back).toEqual(today);
  for (const file of await journalFiles(at('ramped/journal'))) {
    expect((await replayJournal(file)).difference, file).toBe(null);
  }
});

test('a ramp without the table it ramps from is refused, with how to mend it', async () => {
  writePolicy({ share: 0.1 });
  await expect(run(setting, { policy: 'ramp.yaml', dataDirectory: 'none' })).rejects.toThrow(
    /ramp\.yaml: policy "web" has a ramp, and the config no firstTable .*; taiji import makes one$/,
  );
  writePolicy({ share: 0.1, edges: ['nowhere'] });
  await expect(run(setting, { ...config, dataDirectory: 'none' })).rejects.toThrow(
    /spec\.ramp\.edges\[0\] names unknown edge/,
  );
});
