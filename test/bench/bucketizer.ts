/** `npm run bench:bucketizer [-- GRAPH ...] [--seeds 5] [--peers]`: trees of `taiji bucketize` beside the partitions of METIS
 *  and, with --peers, of KaHIP and Mt-KaHyPar, of Louvain communities laid end to end, and of chance; same ties, same
 *  weights (1 a user), same balance, in one run. Means of the seeds; promises beside what was measured, misses first.
 *  Times are user time of whole processes, theirs and ours, which read text and write a file; the start of Node, measured
 *  on a graph of one tie, is told beside them.
 *  Data: TAIJI_DATA. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { louvainCommunities } from '../../bucketizer/communities.ts';
import { buildGraph } from '../../bucketizer/graph.ts';
import { readEdgeList } from '../../bucketizer/io/edge-list.ts';
import { type Graph, sumOf } from '../../bucketizer/multilevel/graph.ts';
import { type LevelQuality, levelQuality, meanLocality } from '../../bucketizer/quality.ts';
import { seededRandom, shuffle } from '../../config/random.ts';
import { findPackage } from '../peers/native.ts';
import {
  findGpmetis,
  type Partition,
  type PythonPartitioner,
  partitionWithMetis,
  partitionWithPython,
  writeMetisGraph,
} from '../peers/partitioners.ts';
import { generatedGraphs, realGraphs, type TieList, usersPerLeaf } from './bucketizer-graphs.ts';
import { benchRefresh } from './bucketizer-refresh.ts';
import { atMost, type Figure, told } from './figure.ts';

const rbUfactor = 5;
const kwayUfactor = 50;
const workers = 2;

/** Mean locality of ours over METIS rb's, at least. */
const meanRatioMin = 1.01;

/** Leaf locality of ours over METIS k-way's, at least. */
const kwayRatioMin = (graph: string): number => (graph === 'soc-Epinions1' ? 0.88 : 0.95);

const pythonPartitioners: readonly PythonPartitioner[] = [
  { tool: 'kahip', preset: 'FASTSOCIAL' },
  { tool: 'kahip', preset: 'ECOSOCIAL' },
  { tool: 'mtkahypar', preset: 'DEFAULT' },
  { tool: 'mtkahypar', preset: 'LARGE_K' },
];

interface Scene {
  readonly name: string;
  readonly graph: Graph;
  readonly height: number;
  readonly tiesFile: string; // as text
  readonly graphFile: string; // in METIS's format
  readonly scratch: string;
}

/** What a way of partitioning gives, over the seeds. */
interface Outcome {
  readonly who: string;
  readonly levels: readonly (readonly LevelQuality[])[]; // [seed]
  readonly localityByLevel: readonly number[]; // mean, root first
  readonly meanLocality: number;
  readonly imbalance: number; // worst node of any level and seed, and of any seed; 0.05 for 5 %
  readonly userSeconds: number;
  readonly wallSeconds: number;
  readonly peakMb: number;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: 'string', default: '5' },
      peers: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(
      'npm run bench:bucketizer -- [GRAPH ...] [--seeds 5] [--peers]      beside METIS and, with --peers, others\n' +
        'npm run bench:bucketizer -- refresh [GRAPH ...] [--seeds 5] [--weeks 10] [--height N]      refreshes beside fresh trees\n\n' +
        `GRAPH: ${[...realGraphs, ...Object.keys(generatedGraphs)].join(', ')}; default: all.\n`,
    );
    return;
  }
  const data = resolve(process.env['TAIJI_DATA'] ?? '../shared/data');
  const known = [...realGraphs, ...Object.keys(generatedGraphs)];
  const wrong = positionals.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    process.stderr.write(`bench: no graph "${wrong}"; there are ${known.join(', ')}\n`);
    process.exit(1);
  }
  const load = loadavg()[0]!.toFixed(1);
  process.stdout.write(`${cpus().length} cores, Node ${process.versions.node}, load ${load} at the start\n`);
  const scratch = mkdtempSync(join(tmpdir(), 'taiji-bench-'));
  try {
    const start = startOfNode(scratch);
    process.stdout.write(
      `a tree of one tie: ${start.userSeconds.toFixed(2)} s of user time, ${start.peakMb.toFixed(0)} MB\n`,
    );
    for (const name of positionals.length > 0 ? positionals : known) {
      const scene = await sceneOf(name, data, scratch);
      if (scene === null) {
        process.stdout.write(`\n${name}\n  skipped: no such file under ${data}; set TAIJI_DATA\n`);
        continue;
      }
      const { table, figures } = measure(scene, Number(values.seeds), values.peers, start.userSeconds);
      print(scene, table, figures);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function sceneOf(name: string, data: string, scratch: string): Promise<Scene | null> {
  const made = generatedGraphs[name];
  const path = join(data, `graphs/${name}.txt.gz`);
  if (made === undefined && !existsSync(path)) return null;
  const { users, ties } = withoutLoners(made === undefined ? await readTies(path) : made());
  const rules = { directed: false, weightMin: 0, degreeMax: Infinity };
  const { graph } = buildGraph(ties, null, new Float64Array(users).fill(1), rules);
  const tiesFile = join(scratch, `${name}.txt`);
  const graphFile = join(scratch, `${name}.graph`);
  const lines: string[] = [];
  for (let v = 0; v < graph.nodeCount; v++) {
    for (const u of graph.neighbour.subarray(graph.rowStart[v]!, graph.rowStart[v + 1]!)) {
      if (u > v) lines.push(`${v} ${u}`);
    }
  }
  writeFileSync(tiesFile, `${lines.join('\n')}\n`);
  writeMetisGraph(graphFile, graph);
  return { name, graph, height: Math.floor(Math.log2(users / usersPerLeaf)), tiesFile, graphFile, scratch };
}

async function readTies(path: string): Promise<TieList> {
  const { users, ties } = await readEdgeList(path, 0);
  return { users: users.length, ties };
}

/** Only users with ties, for a list of ties names no others; numbered by first appearance. */
function withoutLoners({ users, ties }: TieList): TieList {
  const number = new Int32Array(users).fill(-1);
  let count = 0;
  const renamed = ties.map((v, at) => {
    if (ties[at ^ 1] !== v && number[v]! < 0) number[v] = count++;
    return number[v]!;
  });
  return { users: count, ties: renamed.filter((_, at) => renamed[at] !== renamed[at ^ 1]) };
}

function measure(
  scene: Scene,
  seedCount: number,
  peers: boolean,
  startSeconds: number,
): { table: (Outcome | string)[]; figures: Figure[] } {
  const { graph, height, graphFile } = scene;
  const parts = 1 << height;
  const seeds = Array.from({ length: seedCount }, (_, i) => i + 1);
  const outcome = (who: string, of: readonly number[], run: (seed: number) => Partition): Outcome =>
    outcomeOf(who, scene, of.map(run));
  const ours = outcome('taiji', seeds, (seed) => buildTree(scene, 'default', seed));
  const table: (Outcome | string)[] = [
    ours,
    ...(['fast', 'best'] as const).map((effort) =>
      outcome(`taiji, ${effort}`, seeds.slice(0, 1), (seed) => buildTree(scene, effort, seed)),
    ),
  ];
  const figures = [balanceFigure(scene, ours)];
  const gpmetis = findGpmetis();
  if (gpmetis.absent !== null) {
    table.push(`skipped: ${gpmetis.absent}`);
  } else {
    const rb = outcome('METIS rb', seeds, (seed) => partitionWithMetis(graphFile, 'rb', parts, rbUfactor, seed));
    const kway = outcome('METIS k-way', seeds, (seed) =>
      partitionWithMetis(graphFile, 'kway', parts, kwayUfactor, seed),
    );
    table.push(rb, kway);
    figures.push(...againstMetis(scene, ours, rb, kway, startSeconds));
  }
  if (peers) {
    for (const way of pythonPartitioners) {
      const who = `${way.tool} ${way.preset}`;
      const { absent } = findPackage(way.tool);
      if (absent !== null) table.push(`skipped: ${absent}`);
      else
        table.push(
          outcome(who, seeds.slice(0, 1), (seed) =>
            partitionWithPython(way, graphFile, parts, kwayUfactor / 1000, seed),
          ),
        );
    }
  }
  const louvain = outcome('Louvain, laid end to end', seeds.slice(0, 1), (seed) => layCommunities(graph, parts, seed));
  const random = outcome('random', seeds.slice(0, 1), (seed) => placeByChance(graph, parts, seed));
  table.push(louvain, random);
  if (scene.name === 'deezer_hu') {
    figures.push(atLeast('leaf locality over Louvain', leafOf(ours) / leafOf(louvain), 4, 2));
  }
  return { table, figures };
}

/** The whole command, timed from within by a hook that runs as it ends. */
function buildTree({ graph, height, tiesFile, scratch }: Scene, effort: string, seed: number): Partition {
  const [tree, leaves] = [join(scratch, 'tree'), join(scratch, 'leaves.csv')];
  const options = ['--height', height, '--effort', effort, '--seed', seed, '--workers', workers].map(String);
  const usage = runTaiji(['bucketize', tiesFile, '--out', tree, '--leaves', leaves, ...options], scratch);
  const part = new Uint32Array(graph.nodeCount);
  for (const line of readFileSync(leaves, 'utf8').trimEnd().split('\n').slice(1)) {
    const [user, bucket] = line.split(',').map(Number);
    part[user!] = bucket!;
  }
  return { part, ...usage };
}

function startOfNode(scratch: string): Omit<Partition, 'part'> {
  const ties = join(scratch, 'one-tie.txt');
  writeFileSync(ties, '0 1\n');
  return runTaiji(['bucketize', ties, '--out', join(scratch, 'tree'), '--height', '1'], scratch);
}

function runTaiji(args: readonly string[], scratch: string): Omit<Partition, 'part'> {
  const usageFile = join(scratch, 'usage.json');
  const hook = `import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync(${JSON.stringify(usageFile)}, JSON.stringify(process.resourceUsage())));`;
  const program = fileURLToPath(new URL('../../pipeline/cli/main.js', import.meta.url));
  const startMs = performance.now();
  execFileSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(hook)}`, program, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const wallSeconds = (performance.now() - startMs) / 1000;
  const usage: NodeJS.ResourceUsage = JSON.parse(readFileSync(usageFile, 'utf8'));
  return { userSeconds: usage.userCPUTime / 1e6, wallSeconds, peakMb: usage.maxRSS / 1024 };
}

/** The simple way to build a tree from communities: largest first, one behind the other, cut into equal buckets. */
function layCommunities(graph: Graph, parts: number, seed: number): Partition {
  return timedHere(graph, () => {
    const { communityOf } = louvainCommunities(graph, seededRandom(seed));
    const size = new Uint32Array(graph.nodeCount);
    for (const community of communityOf) size[community]! += 1;
    const place = shuffle(everyone(graph), seededRandom(seed)); // the order of a file says who is near
    const inOrder = everyone(graph).sort((a, b) => {
      const [x, y] = [communityOf[a]!, communityOf[b]!];
      return x === y ? place[a]! - place[b]! : size[y]! - size[x]! || x - y;
    });
    return cutEvenly(inOrder, parts);
  });
}

function placeByChance(graph: Graph, parts: number, seed: number): Partition {
  return timedHere(graph, () => {
    return cutEvenly(shuffle(everyone(graph), seededRandom(seed)), parts);
  });
}

function everyone(graph: Graph): Uint32Array {
  return Uint32Array.from({ length: graph.nodeCount }, (_, v) => v);
}

function cutEvenly(inOrder: Uint32Array, parts: number): Uint32Array {
  const part = new Uint32Array(inOrder.length);
  inOrder.forEach((v, at) => {
    part[v] = Math.floor((at * parts) / inOrder.length);
  });
  return part;
}

function timedHere(graph: Graph, place: () => Uint32Array): Partition {
  const before = process.cpuUsage();
  const startMs = performance.now();
  const part = place();
  return {
    part,
    userSeconds: process.cpuUsage(before).user / 1e6,
    wallSeconds: (performance.now() - startMs) / 1000,
    peakMb: (450 * graph.neighbour.length) / 2 / 1e6, // this process has held other things: graphology's size by its own count
  };
}

function outcomeOf(who: string, { graph, height }: Scene, partitions: readonly Partition[]): Outcome {
  const levels = partitions.map(({ part }) => levelQuality(graph, part, height));
  const mean = (of: (at: number) => number): number =>
    partitions.reduce((sum, _, at) => sum + of(at), 0) / levels.length;
  return {
    who,
    levels,
    localityByLevel: Array.from({ length: height + 1 }, (_, level) => mean((at) => levels[at]![level]!.locality)),
    meanLocality: mean((at) => meanLocality(levels[at]!)),
    imbalance: Math.max(...levels.flat().map(({ imbalance }) => imbalance)),
    userSeconds: mean((at) => partitions[at]!.userSeconds),
    wallSeconds: mean((at) => partitions[at]!.wallSeconds),
    peakMb: Math.max(...partitions.map(({ peakMb }) => peakMb)),
  };
}

function leafOf(outcome: Outcome): number {
  return outcome.localityByLevel.at(-1)!;
}

/** The worst node above what it is allowed: 5 %, or one user (all weigh 1 here). */
function balanceFigure({ graph }: Scene, ours: Outcome): Figure {
  const excess = ours.levels.flat().map(({ imbalance, nodes }) => {
    const even = sumOf(graph.nodeWeight) / nodes;
    return imbalance - Math.max(0.05, 1 / even);
  });
  const holds = Math.max(...excess) <= 1e-9;
  return {
    what: 'worst imbalance of a node',
    measured: percent(ours.imbalance),
    limit: 'at most 5 % or one user, at every level',
    holds,
  };
}

function againstMetis(scene: Scene, ours: Outcome, rb: Outcome, kway: Outcome, startSeconds: number): Figure[] {
  const ratios = ours.localityByLevel.map((locality, level) => locality / rb.localityByLevel[level]!);
  // from level 1 on: all ties are in the root, whoever made the tree
  const worst = ratios.reduce((least, ratio, level) => (level > 1 && ratio < ratios[least]! ? level : least), 1);
  return [
    atLeast('mean locality over METIS rb', ours.meanLocality / rb.meanLocality, meanRatioMin, 4),
    atLeast(`locality over METIS rb, worst level (${1 << worst} nodes)`, ratios[worst]!, 0.99, 4),
    atLeast('leaf locality over METIS k-way', leafOf(ours) / leafOf(kway), kwayRatioMin(scene.name), 4),
    atMost('user time over METIS rb', ours.userSeconds / rb.userSeconds, 3, 2),
    told('the same less the start of Node', ((ours.userSeconds - startSeconds) / rb.userSeconds).toFixed(2)),
    atMost(`wall time with ${workers} workers over METIS rb`, ours.wallSeconds / rb.wallSeconds, 2, 2),
  ];
}

function atLeast(what: string, measured: number, limit: number, digits: number): Figure {
  return { what, measured: measured.toFixed(digits), limit: `at least ${limit}`, holds: measured >= limit };
}

function print({ name, graph, height }: Scene, table: readonly (Outcome | string)[], figures: readonly Figure[]): void {
  const size = `${graph.nodeCount} users, ${graph.neighbour.length / 2} ties, ${1 << height} buckets`;
  process.stdout.write(`\n${name}: ${size}\n`);
  for (const { what, measured, limit, holds } of [...figures].sort((a, b) => Number(a.holds) - Number(b.holds))) {
    const mark = holds ? (limit === '' ? '    ' : 'ok  ') : 'MISS';
    process.stdout.write(`  ${mark} ${what}: ${measured}${limit === '' ? '' : ` (${limit})`}\n`);
    if (!holds) process.exitCode = 3;
  }
  const nodes = Array.from({ length: height }, (_, level) => String(2 << level).padStart(5)).join(' ');
  process.stdout.write(`    ${'locality'.padEnd(26)} mean  ${nodes}   worst   user s  wall s     MB\n`);
  for (const row of table) {
    if (typeof row === 'string') {
      process.stdout.write(`    ${row}\n`);
      continue;
    }
    const levels = row.localityByLevel.slice(1).map((locality) => locality.toFixed(3));
    process.stdout.write(
      `    ${row.who.padEnd(26)} ${row.meanLocality.toFixed(4)} ${levels.join(' ')} ${percent(row.imbalance).padStart(8)}` +
        ` ${row.userSeconds.toFixed(2).padStart(7)} ${row.wallSeconds.toFixed(2).padStart(7)} ${row.peakMb.toFixed(0).padStart(6)}\n`,
    );
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

try {
  await (process.argv[2] === 'refresh' ? benchRefresh(process.argv.slice(3)) : main());
} catch (error) {
  const isBadFlag = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
  if (!isBadFlag) throw error;
  process.stderr.write(
    `bench: ${error.message.split('. ')[0]}; npm run bench:bucketizer -- --help tells which there are\n`,
  );
  process.exitCode = 1;
}
