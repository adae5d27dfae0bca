/** `taiji tree`: what a tree file holds, and passing to another one. */

import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { readTree } from '../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { treeActivateCommand, treeRollbackCommand, treeStatusCommand } from './tree-activation.ts';

type Format = 'table' | 'json' | 'yaml';

interface TreeInfo {
  readonly version: string;
  readonly height: number;
  readonly buckets: number;
  readonly users: number;
  readonly emptyBuckets: number;
  readonly quotientTies: number; // pairs of buckets whose tie weight is kept
  readonly levels: readonly LevelInfo[]; // root first
}

interface LevelInfo {
  readonly level: number;
  readonly nodes: number;
  readonly locality: number | null; // share of tie weight inside the nodes of this level; null: not measured
  readonly heaviest: number; // x the even share
  readonly lightest: number; // x the even share
}

export function treeCommand(): Command {
  const tree = new Command('tree').description('Look into bucket trees, and pass from one to another');
  tree
    .command('info')
    .description('Print height, version, users, and locality and balance of every level')
    .argument('<tree>', 'a tree file')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['table', 'json', 'yaml']).default('table'))
    .addHelpText(
      'after',
      `
Examples:
  taiji tree info tree
  taiji tree info tree -o json`,
    )
    .action((path: string, { output }: { output: Format }) => {
      process.stdout.write(render(describe(readTree(path)), output));
    });
  return tree.addCommand(treeActivateCommand()).addCommand(treeRollbackCommand()).addCommand(treeStatusCommand());
}

function describe(tree: BucketTree): TreeInfo {
  return {
    version: tree.version,
    height: tree.height,
    buckets: tree.bucketWeight.length,
    users: tree.users.length,
    emptyBuckets: tree.bucketWeight.length - new Set(tree.bucketOfUser).size,
    quotientTies: tree.quotient.neighbour.length / 2,
    levels: Array.from({ length: tree.height + 1 }, (_, level) => describeLevel(tree, level)),
  };
}

function describeLevel(tree: BucketTree, level: number): LevelInfo {
  const nodes = 1 << level;
  const weight = new Float64Array(nodes);
  for (const [bucket, w] of tree.bucketWeight.entries()) weight[bucket >>> (tree.height - level)]! += w;
  const even = weight.reduce((sum, w) => sum + w, 0) / nodes;
  return {
    level,
    nodes,
    locality: tree.levels?.[level]?.locality ?? null,
    heaviest: weight.reduce((a, b) => Math.max(a, b)) / even,
    lightest: weight.reduce((a, b) => Math.min(a, b)) / even,
  };
}

function render(info: TreeInfo, format: Format): string {
  if (format === 'json') return `${JSON.stringify(info, null, 2)}\n`;
  if (format === 'yaml') return stringify(info);
  const rows = info.levels.map(({ level, nodes, locality, heaviest, lightest }) => [
    `${level}`,
    `${nodes}`,
    locality === null ? '-' : locality.toFixed(3),
    heaviest.toFixed(3),
    lightest.toFixed(3),
  ]);
  return [
    `version        ${info.version}`,
    `height         ${info.height} (${info.buckets} buckets, ${info.emptyBuckets} without users)`,
    `users          ${info.users}`,
    `quotient ties  ${info.quotientTies}`,
    '',
    ...columns([['level', 'nodes', 'locality', 'heaviest', 'lightest'], ...rows]),
    '',
    'locality: share of tie weight inside the nodes of a level; heaviest, lightest: weight of a node, x the even share',
    '',
  ].join('\n');
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padStart(widths[column]!)).join('  '));
}
