/** One large generated graph through the bucketizer. Prints user time of every stage and what a tie costs; one process a
 *  size, for the peak of memory is the process's. Growth is seen by running several sizes. */

import { parseArgs } from 'node:util';
import { type EffortName, type PreparedBuild, prepareFresh } from '../../bucketizer/bucketize.ts';
import { bucketizeInParallel } from '../../bucketizer/io/parallel-bucketize.ts';
import { communityGraph } from './bucketizer-graphs.ts';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    'ties-per-user': { type: 'string', default: '21' },
    height: { type: 'string', default: '14' },
    effort: { type: 'string', default: 'default' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  process.stdout.write(
    'node dist/test/bench/bucketizer-scale.js [--users 1000000] [--ties-per-user 21] [--height 14]\n' +
      '  [--effort fast|default|best] [--seed 1] [--workers 1]\n\n' +
      'Builds the tree of one generated graph; prints user time by stage, peak memory, and both a tie.\n',
  );
  process.exit();
}
const startSeconds = userSeconds();
let stageBefore = 'make the graph';
let told = startSeconds;
let madeSeconds = 0;
const prepared = prepare();
const { report } = await bucketizeInParallel(prepared, Number(values.workers), ({ stage, done, total }) => {
  if (stage !== stageBefore || done === total) tell(stage);
});
tell('end');
const { kept } = report.ties;
const seconds = userSeconds() - startSeconds - madeSeconds;
const leaf = report.levels.at(-1)!;
process.stdout.write(
  `${kept} ties kept: ${seconds.toFixed(0)} s of user time (${((1e6 * seconds) / kept).toFixed(2)} us a tie), ` +
    `peak ${peakMb().toFixed(0)} MB (${((1e6 * peakMb()) / kept).toFixed(0)} bytes a tie); ` +
    `mean locality ${report.meanLocality.toFixed(4)}, leaves ${leaf.locality.toFixed(4)}, heaviest ${(100 * leaf.imbalance).toFixed(1)} % over\n`,
);

/** A function of its own: nobody holds the list of ties once it returns. */
function prepare(): PreparedBuild {
  const made = communityGraph(Number(values.users), Number(values['ties-per-user']), 0.4, Number(values.seed));
  process.stdout.write(`${made.users} users, ${made.ties.length / 2} ties listed\n`);
  madeSeconds = userSeconds() - startSeconds;
  tell('prepare');
  const users = Array.from({ length: made.users }, (_, v) => String(v));
  return prepareFresh(
    { users, userWeights: null, ties: made.ties, tieWeights: null },
    { height: Number(values.height), seed: Number(values.seed), effort: values.effort as EffortName },
  );
}

function tell(stage: string): void {
  const until = stageBefore === stage ? `the end of ${stage}` : stage;
  process.stdout.write(`  until ${until}: ${(userSeconds() - told).toFixed(1)} s, peak ${peakMb().toFixed(0)} MB\n`);
  stageBefore = stage;
  told = userSeconds();
}

function userSeconds(): number {
  return process.cpuUsage().user / 1e6;
}

/** So far, of this process, in MB of 10^6 bytes. */
function peakMb(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}
