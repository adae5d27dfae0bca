/** `taiji bucketize`: from a file of ties to a tree file, and what to know about it. */

import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import {
  type BucketizeInput,
  type BucketizeOptions,
  type BucketizeProgress,
  type EffortName,
  type PreparedBuild,
  prepareBuild,
  prepareFresh,
  type TreeReport,
} from '../../bucketizer/bucketize.ts';
import type { CacheSimulation } from '../../bucketizer/cache-simulation.ts';
import type { Auditor } from '../../bucketizer/communities.ts';
import { percent, rounded } from '../../bucketizer/figures.ts';
import { sumInOrder } from '../../bucketizer/fixed-point.ts';
import { standardInput } from '../../bucketizer/io/byte-source.ts';
import { collectGarbageAfter } from '../../bucketizer/io/collect-garbage.ts';
import { compiledSearches } from '../../bucketizer/io/compiled-searches.ts';
import { readEdgeList } from '../../bucketizer/io/edge-list.ts';
import { writeLeaves, writeMoves } from '../../bucketizer/io/leaves-file.ts';
import { bucketizeInParallel } from '../../bucketizer/io/parallel-bucketize.ts';
import { type ProgressBar, progressBar } from '../../bucketizer/io/progress.ts';
import type { EdgeList } from '../../bucketizer/io/tie-collector.ts';
import { type TieFormat, tieFormats } from '../../bucketizer/io/tie-format.ts';
import { readTree, writeTree } from '../../bucketizer/io/tree-file.ts';
import { readUsers, type WeightedUsers } from '../../bucketizer/io/users.ts';
import { checkWritable } from '../../bucketizer/io/writable.ts';
import { entriesLarge } from '../../bucketizer/multilevel/memory.ts';
import type { Objective } from '../../bucketizer/recursive-bisection.ts';
import { type Move, moveMaxDefault, type RefreshReport, refresh } from '../../bucketizer/refresh.ts';
import { reportPage } from '../../bucketizer/report-page.ts';
import type { Searches } from '../../bucketizer/searches.ts';
import { type BucketTree, heightMax } from '../../bucketizer/tree.ts';
import { ConfigError, countOf } from '../../config/errors.ts';
import { writeFileAtomically } from '../../config/io/files.ts';
import { collect } from './repeated.ts';

const workersMax = 256;
const heightDefault = 14;

interface Flags {
  readonly out: string;
  readonly format: TieFormat;
  readonly users?: string;
  readonly height?: string;
  readonly previous?: string;
  readonly moveMax?: string;
  readonly moves?: string;
  readonly seed: string;
  readonly workers?: string;
  readonly effort?: EffortName;
  readonly objective?: Objective;
  readonly directed?: boolean;
  readonly hubDegree?: string;
  readonly minWeight?: string;
  readonly maxBadLines: string;
  readonly report?: readonly string[];
  readonly simulateCache?: boolean;
  readonly leaves?: string;
}

/** The tree's report, with what only the files could tell. */
interface FileReport extends TreeReport {
  readonly badLines: number; // of the ties, skipped
  readonly usersUnlisted: number; // in the ties but not in --users; each was given the mean weight
  readonly refresh?: RefreshReport; // with --previous
}

export function bucketizeCommand(): Command {
  return new Command('bucketize')
    .description('Put users who are friends into buckets near each other: ties in, bucket tree out')
    .argument(
      '<ties>',
      'SNAP text ("a b" or "a b weight" a line), CSV with a header (user,friend[,weight]), METIS, u32 pairs or Parquet; plain or gzip; - for standard input',
    )
    .addOption(
      new Option('--format <name>', 'of TIES, where the content does not tell').choices(tieFormats).default('auto'),
    )
    .requiredOption('--out <tree>', 'tree file to write')
    .option(
      '--users <file>',
      'CSV with columns user,weight: what users weigh, and users without ties; others weigh the mean',
    )
    .option(
      '--height <levels>',
      `levels of the tree, 1 to ${heightMax}: 2^height buckets (default: 14, or as --previous)`,
    )
    .option('--previous <tree>', 'refresh this tree: its users stay in their buckets unless moving pays')
    .option(
      '--move-max <share>',
      `with --previous: share of its users, and of their weight, that may move (default: ${moveMaxDefault})`,
    )
    .option('--seed <n>', 'the same seed gives the same tree', '1')
    .option('--workers <n>', 'threads that bisect; the tree is the same for any number (default: one a core)')
    .addOption(
      new Option('--effort <name>', 'time spent on a new tree (default: default)').choices(['fast', 'default', 'best']),
    )
    .addOption(
      new Option(
        '--objective <name>',
        'of a new tree; cut: fewest ties between buckets; p-fanout: fewest buckets a request to friends reaches (default: cut)',
      ).choices(['cut', 'p-fanout']),
    )
    .option('--directed', 'only ties given in both directions count')
    .option('--hub-degree <n>', 'leave out the ties of users with more friends than this')
    .option('--min-weight <w>', 'leave out ties lighter than this, repeated ones added up')
    .option('--max-bad-lines <n>', 'bad lines of TIES to skip, and to name on stderr, before giving up', '0')
    .option(
      '--report <file>',
      'write quality and counts as JSON; as a page with plots where the name ends in .html; may be repeated',
      collect,
    )
    .option(
      '--simulate-cache',
      'print, and put into --report, how often caches miss where users are routed at random, by hash and by this tree',
    )
    .option('--leaves <file>', 'write user,bucket as CSV')
    .option('--moves <file>', 'with --previous: write user,from,to of every moved user as CSV')
    .addHelpText(
      'after',
      `
Examples:
  taiji bucketize world/friends.csv.gz --users world/users.csv --out tree
  taiji bucketize soc-Epinions1.txt.gz --out tree --directed --hub-degree 1000 --report report.json
  taiji bucketize friends.csv --out tree --simulate-cache --report tree.html
  taiji bucketize friends.csv --out tree-2 --previous tree --move-max 0.03 --moves moves.csv
  zcat friends.csv.gz | taiji bucketize - --out tree
  taiji bucketize friends.parquet --out tree --format parquet
  taiji tree info tree`,
    )
    .action(async (ties: string, flags: Flags) => {
      const report = await bucketizeFiles(ties, flags);
      process.stdout.write(summary(report, flags));
    });
}

async function bucketizeFiles(tiesPath: string, flags: Flags): Promise<FileReport> {
  const badLinesMax = numberFlag('--max-bad-lines', flags.maxBadLines, 'a whole number', 0, Infinity);
  const moveMax = numberFlag('--move-max', flags.moveMax ?? `${moveMaxDefault}`, 'a number', 0, 1);
  const workers =
    flags.workers === undefined
      ? availableParallelism()
      : numberFlag('--workers', flags.workers, 'a whole number', 1, workersMax);
  if (flags.moves !== undefined && flags.previous === undefined) {
    throw new ConfigError('--moves is given without --previous; name the tree that users move from');
  }
  if (tiesPath === standardInput && flags.users === standardInput) {
    throw new ConfigError('TIES and --users are both "-", and standard input can be read once; name a file for one');
  }
  if (flags.previous !== undefined && (flags.effort ?? flags.objective) !== undefined) {
    process.stderr.write('note: --effort and --objective are of new trees; --previous is refreshed by its cut\n');
  }
  if (flags.moveMax !== undefined && flags.previous === undefined) {
    // no error: a script that refreshes every week may give it the first time, too
    process.stderr.write('note: --move-max is of a refresh; without --previous the tree is new, and everybody moves\n');
  }
  checkOutputs(
    flags,
    [tiesPath, flags.users, flags.previous].filter((path) => path !== undefined),
  );
  const previous = flags.previous === undefined ? null : readTree(flags.previous);
  const searches = compiledSearches();
  const bar = await progressBar();
  const options = {
    ...optionsOf(flags, previous),
    ...(flags.report === undefined ? {} : { audit: await auditor() }),
    onSilent: bar.announce,
  };
  const notes: string[] = []; // told once the bar is gone
  try {
    const { prepared, repeated, selfRepeated, badLines, badLinesNamed, unlisted } = await prepareFiles(
      tiesPath,
      flags,
      options,
      badLinesMax,
      searches.rows,
      bar,
    );
    notes.push(...badLinesNamed.map((line) => `${line}; skipped`));
    if (badLines > badLinesNamed.length) notes.push(`and ${badLines - badLinesNamed.length} more bad lines, skipped`);
    const show = ({ stage, level, done, total }: BucketizeProgress): void =>
      bar.show(stage, done, total, level === undefined ? '' : ` level ${level + 1} of ${options.height}`);
    const built: Built =
      previous === null
        ? await bucketizeInParallel(prepared, workers, show, searches)
        : refresh(prepared, previous, moveMax, show, searches);
    if (built.report.refresh !== undefined) notes.push(...goneNote(built.report.refresh));
    const { ties } = built.report;
    // lines the reader has added up already were ties given too
    const counted = {
      ...ties,
      given: ties.given + repeated + selfRepeated,
      self: ties.self + selfRepeated,
      repeated: ties.repeated + repeated,
    };
    const report = { ...built.report, ties: counted, badLines, usersUnlisted: unlisted };
    notes.push(...tielessNote(report));
    bar.announce('write', false);
    for (const file of flags.report ?? []) {
      const page = file.endsWith('.html');
      writeFileAtomically(file, page ? reportPage(report) : `${JSON.stringify(report, null, 2)}\n`);
    }
    if (flags.leaves !== undefined) writeLeaves(flags.leaves, built.tree);
    if (flags.moves !== undefined) writeMoves(flags.moves, built.moves ?? []);
    writeTree(flags.out, built.tree); // last: where another file cannot be written the tree is the one before
    return report;
  } finally {
    bar.stop();
    for (const note of notes) process.stderr.write(`note: ${note}\n`);
  }
}

/** Of a file of ties that is not the one meant a refresh makes a tree without a complaint. */
function goneNote({ usersKept, usersGone, usersPlaced }: RefreshReport): string[] {
  if (usersGone <= usersKept) return [];
  return [
    `${usersGone} of the ${countOf(usersKept + usersGone, 'user')} of --previous are gone, and ${usersPlaced} are new; unless that is meant, TIES is cut, or of other users or another spelling of their ids: name the right file and build again`,
  ];
}

interface PreparedFiles {
  readonly prepared: PreparedBuild;
  readonly repeated: number; // lines between two users the reader has added up
  readonly selfRepeated: number; // and those from a user to itself
  readonly badLines: number;
  readonly badLinesNamed: readonly string[];
  readonly unlisted: number;
}

/** A function of its own: nobody holds the list of ties once it returns. */
async function prepareFiles(
  tiesPath: string,
  flags: Flags,
  options: BucketizeOptions,
  badLinesMax: number,
  rowsOf: Searches['rows'],
  bar: ProgressBar,
): Promise<PreparedFiles> {
  const onRead = (bytes: number, of: number): void => {
    if (bytes === of) bar.announce('graph', false);
    else bar.show('read', bytes, of, Number.isNaN(of) ? ` ${Math.round(bytes / 1e6)} MB` : '');
  };
  const list = await readEdgeList(tiesPath, badLinesMax, { format: flags.format, onRead });
  collectGarbageAfter(list.ties.length, entriesLarge); // of reading: tables of ids, and ties before they were added up
  if (list.mutual && flags.directed === true) {
    throw new ConfigError('--directed is given, but a METIS graph is undirected; leave it out');
  }
  bar.announce('graph', list.ties.length >= entriesLarge);
  const listed = flags.users === undefined ? null : await readUsers(flags.users);
  const { input, unlisted } = withListedUsers(list, listed);
  const prepare = flags.previous === undefined ? prepareFresh : prepareBuild;
  const prepared = prepare(input, options, rowsOf);
  const { repeated, selfRepeated, badLines, badLinesNamed } = list;
  return { prepared, repeated, selfRepeated, badLines, badLinesNamed, unlisted };
}

interface Built {
  readonly tree: BucketTree;
  readonly report: TreeReport & { readonly refresh?: RefreshReport };
  readonly moves?: readonly Move[];
}

/** Before any work: no input and no other output is ever replaced. */
function checkOutputs({ out, report = [], leaves, moves }: Flags, inputs: readonly string[]): void {
  const taken: string[] = [];
  const files = [
    [out, 'tree'],
    ...report.map((path) => [path, 'report'] as const),
    [leaves, 'list of leaves'],
    [moves, 'list of moves'],
  ] as const;
  for (const [path, noun] of files) {
    if (path === undefined) continue;
    checkWritable(path, noun, inputs, taken);
    taken.push(path);
  }
}

function optionsOf(flags: Flags, previous: BucketTree | null): BucketizeOptions {
  const height = numberFlag(
    '--height',
    flags.height ?? `${previous?.height ?? heightDefault}`,
    'a whole number',
    1,
    heightMax,
  );
  const seed = numberFlag('--seed', flags.seed, 'a whole number', 0, Number.MAX_SAFE_INTEGER);
  const { effort, objective, directed = false, hubDegree, minWeight } = flags;
  return {
    height,
    seed,
    ...(effort === undefined || previous !== null ? {} : { effort }),
    ...(objective === undefined || previous !== null ? {} : { objective }),
    directed,
    simulateCache: flags.simulateCache ?? false,
    ...(hubDegree === undefined
      ? {}
      : { hubDegree: numberFlag('--hub-degree', hubDegree, 'a whole number', 1, Infinity) }),
    ...(minWeight === undefined ? {} : { minWeight: numberFlag('--min-weight', minWeight, 'a number', 0, Infinity) }),
  };
}

/** Loaded for a report only: few ask for one. */
async function auditor(): Promise<Auditor> {
  return (await import('../../bucketizer/communities.ts')).auditCommunities;
}

function numberFlag(flag: string, text: string, kind: 'a number' | 'a whole number', min: number, max: number): number {
  const pattern = kind === 'a number' ? /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i : /^\d{1,16}$/;
  const value = pattern.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const range = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new ConfigError(`${flag} is ${JSON.stringify(text)}, expected ${kind} ${range}`);
}

/** Everyone in either file. Whoever is in the ties only is given the mean weight: an unknown weight of 1 among weights in
 *  the thousands, or the other way round, would unbalance the buckets. */
function withListedUsers(list: EdgeList, listed: WeightedUsers | null): { input: BucketizeInput; unlisted: number } {
  if (listed === null) return { input: { ...list, userWeights: list.userWeights ?? null }, unlisted: 0 };
  const users = [...listed.users];
  const place = new Map(users.map((user, i) => [user, i]));
  const placeInAll = Uint32Array.from(list.users, (user) => place.get(user) ?? users.push(user) - 1);
  const mean = sumInOrder(listed.weights) / listed.weights.length;
  const userWeights = new Float64Array(users.length).fill(mean);
  userWeights.set(listed.weights);
  const { ties, tieWeights } = list;
  for (let i = 0; i < ties.length; i++) ties[i] = placeInAll[ties[i]!]!; // in place: they may be many
  return {
    input: { users, userWeights, ties, tieWeights },
    unlisted: users.length - listed.users.length,
  };
}

/** A tree of no ties is allowed, and seldom meant. */
function tielessNote(report: FileReport): string[] {
  const { given, kept } = report.ties;
  if (kept > 0 || given === 0) return [];
  const [most] = dropped(report)
    .filter(({ mend }) => mend !== undefined)
    .sort((a, b) => b.count - a.count);
  return [`no tie is left of ${given}${inBrackets(report)}: buckets hold users by weight alone; ${most?.mend}`];
}

interface Dropped {
  readonly count: number;
  readonly what: string;
  readonly mend?: string; // what to do where nothing is left; lines that are added to others leave those
}

/** What of the ties was not kept, and is not nothing. */
function dropped({ ties, badLines }: FileReport): Dropped[] {
  const all: readonly Dropped[] = [
    { count: ties.self, what: 'to oneself', mend: 'name two users a line' },
    { count: ties.repeated, what: 'repeated' },
    { count: ties.oneWay, what: 'one way', mend: 'leave --directed out' },
    { count: ties.light, what: 'light', mend: 'lower --min-weight' },
    { count: ties.hubTies, what: `of ${countOf(ties.hubUsers, 'hub')}`, mend: 'raise --hub-degree' },
    { count: badLines, what: 'bad lines' },
  ];
  return all.filter(({ count }) => count > 0);
}

function inBrackets(report: FileReport): string {
  const left = dropped(report).map(({ count, what }) => `${count} ${what}`);
  return left.length > 0 ? ` (${left.join(', ')})` : '';
}

function summary(report: FileReport, { out, simulateCache = false }: Flags): string {
  const { ties, levels, cache } = report;
  const buckets = levels.at(-1)!;
  const unlisted = report.usersUnlisted > 0 ? `, ${report.usersUnlisted} not in --users` : '';
  const locality =
    ties.kept === 0
      ? '- (no tie was kept)'
      : `${rounded(buckets.locality, 3)} of tie weight inside buckets, ${rounded(report.meanLocality, 3)} in the mean of the levels`;
  return [
    `${out}  ${countOf(report.users, 'user')} in ${buckets.nodes} buckets, version ${report.treeVersion.slice(0, 12)}`,
    `ties      ${ties.kept} kept of ${ties.given}${inBrackets(report)}`,
    `users     ${report.usersWithoutTies} without ties${unlisted}`,
    `locality  ${locality}`,
    `balance   heaviest bucket ${rounded(1 + buckets.imbalance, 3)} x even, its heaviest user ${rounded(buckets.heaviestUserInIt, 3)} x even`,
    ...(report.refresh === undefined ? [] : [refreshSummary(report.refresh)]),
    ...(simulateCache ? cacheSummary(cache) : []),
    '',
  ].join('\n');
}

function cacheSummary(cache: CacheSimulation | null): string[] {
  if (cache === null) return ['misses    - (nobody who weighs anything has friends whose items a cache could miss)'];
  const { datacenters, curve } = cache;
  return [
    `misses    of caches in ${datacenters} datacenters, each holding a share of all items; users routed`,
    '            share  at random    by hash    by tree',
    ...curve.map(({ cacheShare, missRate: { random, hash, tree } }) =>
      [
        `${(100 * cacheShare).toFixed(1)} %`.padStart(17),
        rounded(random, 3).padStart(9),
        rounded(hash, 3).padStart(9),
        rounded(tree, 3).padStart(9),
      ].join('  '),
    ),
  ];
}

function refreshSummary(refreshed: RefreshReport): string {
  const { usersMoved, usersMovedShare, weightMovedShare, usersPlaced, usersGone, balanceGiven, moveMax } = refreshed;
  const gave = balanceGiven > 0 ? `; balance gave way by ${rounded(balanceGiven, 3)} x even` : '';
  return (
    `moved     ${countOf(usersMoved, 'user')} (${percent(usersMovedShare)}), ${percent(weightMovedShare)} of weight, ` +
    `of ${percent(moveMax)} allowed; ${usersPlaced} new, ${usersGone} gone${gave}`
  );
}
