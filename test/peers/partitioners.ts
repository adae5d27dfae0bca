/** Other partitioners of graphs, as their makers ship them: METIS (Debian package metis), KaHIP and Mt-KaHyPar (Python
 *  packages kahip and mtkahypar), from one file in METIS's format. */

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Graph } from '../../bucketizer/multilevel/graph.ts';
import { type Peer, peersPython, runs } from './native.ts';

export interface Partition {
  readonly part: Uint32Array; // [node]
  readonly userSeconds: number; // of processor time
  readonly wallSeconds: number;
  readonly peakMb: number; // of memory
}

export function findGpmetis(): Peer {
  return { name: 'gpmetis', absent: runs('gpmetis', ['-help']) ? null : 'no gpmetis; apt-get install metis' };
}

/** Unweighted: a line for every node, its neighbours counted from 1. */
export function writeMetisGraph(path: string, graph: Graph): void {
  const lines = [`${graph.nodeCount} ${graph.neighbour.length / 2}`];
  for (let v = 0; v < graph.nodeCount; v++) {
    const row = graph.neighbour.subarray(graph.rowStart[v]!, graph.rowStart[v + 1]!);
    lines.push(Array.from(row, (u) => u + 1).join(' '));
  }
  writeFileSync(path, `${lines.join('\n')}\n`);
}

/** The whole process: reading, partitioning, writing. `rb`: recursive bisection, whose parts are numbered in tree order;
 *  `kway`: all parts at once. `ufactor`: imbalance in thousandths, at every bisection or of all parts. */
export function partitionWithMetis(
  graphFile: string,
  way: 'rb' | 'kway',
  parts: number,
  ufactor: number,
  seed: number,
): Partition {
  const options = [`-ptype=${way}`, `-ufactor=${ufactor}`, `-seed=${seed}`, graphFile, String(parts)];
  const { stdout, userSeconds, wallSeconds } = timeCommand(['gpmetis', ...options]);
  const partFile = `${graphFile}.part.${parts}`;
  const part = Uint32Array.from(readFileSync(partFile, 'utf8').trim().split('\n'), Number);
  rmSync(partFile);
  return { part, userSeconds, wallSeconds, peakMb: Number(/Max memory used:\s+([\d.]+)/.exec(stdout)?.[1]) };
}

/** A command's output, and what it took by its shell's count, to a hundredth of a second. */
function timeCommand(command: readonly string[]): { stdout: string; userSeconds: number; wallSeconds: number } {
  const startMs = performance.now();
  const said = execFileSync('sh', ['-c', '"$@"; times', 'sh', ...command], { encoding: 'utf8' });
  const wallSeconds = (performance.now() - startMs) / 1000;
  const lines = said.trimEnd().split('\n');
  const [minutes, seconds] = lines.pop()!.split(' ')[0]!.replace('s', '').split('m').map(Number);
  return { stdout: lines.join('\n'), userSeconds: 60 * minutes! + seconds!, wallSeconds };
}

export interface PythonPartitioner {
  readonly tool: 'kahip' | 'mtkahypar';
  readonly preset: string;
}

/** The partitioning alone, for reading a graph into Python is none of theirs. `imbalance`: of the parts, 0.05 for 5 %. */
export function partitionWithPython(
  { tool, preset }: PythonPartitioner,
  graphFile: string,
  parts: number,
  imbalance: number,
  seed: number,
): Partition {
  const asked = JSON.stringify({ tool, preset, file: graphFile, blocks: parts, imbalance, seed });
  const said = execFileSync(peersPython, [resolve('test/peers/partition.py'), asked], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const answer: { part: number[]; cpuSeconds: number; wallSeconds: number; rssMb: number } = JSON.parse(
    said.slice(said.lastIndexOf('{"part"')),
  );
  return {
    part: Uint32Array.from(answer.part),
    userSeconds: answer.cpuSeconds,
    wallSeconds: answer.wallSeconds,
    peakMb: answer.rssMb,
  };
}
