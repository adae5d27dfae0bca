/** What a table costs once its fractions are known, `npm run bench -- tables`: assign, pace, validate and compile, CPU time
 *  of whole epochs at three sizes, on fractions that want something else of every edge in every epoch. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { quantile } from '../../pipeline/replay/quantile.ts';
import { atMost, type Figure, told } from './figure.ts';
import type { TablesRun } from './tables-epochs.ts';

interface Case {
  readonly name: string;
  readonly arguments: readonly string[];
  readonly msMax: number;
  readonly mbMax?: number;
}

export async function tablesFigures(dataDir: string): Promise<Figure[]> {
  const cases: readonly Case[] = [
    { name: '42 x 10, 16,384 buckets, every cell in use', arguments: ['full', '42', '10'], msMax: 200 },
    { name: '200 x 20, homes of 200,000 people', arguments: ['homes', '200', '20', '200000'], msMax: 1200, mbMax: 400 },
    { name: '200 x 20, 16,384 buckets, every cell in use', arguments: ['full', '200', '20'], msMax: 1200, mbMax: 400 },
  ];
  const week: Case = { name: 'the real week, 42 x 10', arguments: ['week', dataDir], msMax: 100 };
  return (existsSync(join(dataDir, 'world')) ? [week, ...cases] : cases).flatMap(figuresOf);
}

function figuresOf({ name, arguments: given, msMax, mbMax }: Case): Figure[] {
  const script = join(import.meta.dirname, 'tables-epochs.js');
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const said = execFileSync(process.execPath, [script, ...given], { encoding: 'utf8', stdio: [...stdio] });
  const { cells, firstMs, nextMs, changedEdges, rssMb }: TablesRun = JSON.parse(said);
  return [
    atMost(`${name} (${cells} cells), a table, ms`, quantile(nextMs, 0.5), msMax, 0),
    told(`${name}, 99th percentile, ms`, quantile(nextMs, 0.99).toFixed(0)),
    told(`${name}, the first table, ms`, firstMs.toFixed(0)),
    told(`${name}, edges whose table changes`, changedEdges.toFixed(1)),
    mbMax === undefined
      ? told(`${name}, memory at most, MB`, rssMb.toFixed(0))
      : atMost(`${name}, memory at most, MB`, rssMb, mbMax, 0),
  ];
}
