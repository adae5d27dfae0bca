/** `npm run bench [-- NAME] [--out FILE]`: prints what the project promises beside what it measures, misses first. */

import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Figure } from './figure.ts';
import { forecastFigures } from './forecast.ts';
import { frontierFigures } from './frontier.ts';
import { paperFigures } from './paper.ts';
import { peersFigures } from './peers.ts';
import { speedFigures } from './speed.ts';
import { steadyFigures } from './steady.ts';
import { tablesFigures } from './tables.ts';
import { treesFigures } from './trees.ts';
import { weekFigures } from './week.ts';

const benches: Readonly<Record<string, (dataDir: string, out: string | null) => Promise<Figure[] | null>>> = {
  week: weekFigures,
  forecast: forecastFigures,
  paper: paperFigures,
  frontier: frontierFigures,
  peers: peersFigures,
  speed: speedFigures,
  steady: steadyFigures,
  tables: tablesFigures,
  trees: treesFigures,
};

const dataDir = resolve(process.env['TAIJI_DATA'] ?? '../shared/data');
const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(
    `npm run bench [-- NAME ...] [--out FILE]\n\nNAME: ${Object.keys(benches).join(', ')}; default: all.\n` +
      '--out: reports and plots that a bench has to show, beside the figures it prints\n',
  );
  process.exit();
}
for (const name of wanted) {
  if (!(name in benches)) {
    process.stderr.write(`bench: no bench "${name}"; there are ${Object.keys(benches).join(', ')}\n`);
    process.exit(1);
  }
}
process.stdout.write(`${cpus().length} cores, Node ${process.versions.node}\n`);
for (const [name, run] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const figures = await run(dataDir, values.out ?? null);
  process.stdout.write(`\n${name}\n`);
  if (!figures) {
    process.stdout.write('  skipped: its data is absent; set TAIJI_DATA to the folder that holds it\n');
    continue;
  }
  const sorted = [...figures.filter(({ holds }) => !holds), ...figures.filter(({ holds }) => holds)];
  for (const { what, measured, limit, holds } of sorted) {
    const mark = holds ? (limit === '' ? '    ' : 'ok  ') : 'MISS';
    process.stdout.write(`  ${mark} ${what}: ${measured}${limit === '' ? '' : ` (${limit})`}\n`);
  }
  if (figures.some(({ holds }) => !holds)) process.exitCode = 3;
}
process.exit();
