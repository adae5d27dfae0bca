/** `taiji replay`: a world under a policy, or a journal's epochs as they were. */

import { Command } from 'commander';
import { stringify } from 'yaml';
import { progressBar } from '../../bucketizer/io/progress.ts';
import { readTree } from '../../bucketizer/io/tree-file.ts';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { ConfigError } from '../../config/errors.ts';
import { readText, writeFileAtomically } from '../../config/io/files.ts';
import { readPolicy } from '../../config/load.ts';
import { assertionsOf, type Policy } from '../../config/policy.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import type { World } from '../../config/world.ts';
import { certifiedBy } from '../../runtime/lp/certified.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import { allHold, assertionLines, judgeAssertions } from '../replay/assertions.ts';
import { changesOf } from '../replay/comparison.ts';
import { parseEdits } from '../replay/edits.ts';
import { parseFractions } from '../replay/fractions-file.ts';
import { type ReplayReport, type ReplaySummary, ReportBuilder } from '../replay/report.ts';
import { htmlReport } from '../replay/report-html.ts';
import { comparedSummaries } from '../replay/summary-comparison.ts';
import { applyEdits, type WhatIf } from '../replay/what-if.ts';
import { type Activation, type ReplayedService, type ReplayOptions, replayWorld } from '../replay/world-replay.ts';
import { acceptJournal, describeAccepted, describeReplay, replayJournal } from '../server/io/recorded-file.ts';
import { checkSameHeight } from '../server/tree-fits.ts';
import type { RoutingTable } from '../table/routing-table.ts';
import { intentsOption, readIntents } from './intents-file.ts';
import { previousTables } from './plan-file.ts';
import { withBase } from './plan-run.ts';
import { collect } from './repeated.ts';
import { replayServices, servicesOf } from './replay-services.ts';
import { type OutputFormat, openSetting, outputOption, solverOption, timeOf } from './setting.ts';

interface ReplayFlags {
  readonly world?: string;
  readonly policy: readonly string[];
  readonly tree?: string;
  readonly journal?: string;
  readonly accept?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly oracle?: boolean;
  readonly fractions?: string;
  readonly against?: string;
  readonly whatIf?: string;
  readonly intents?: string;
  readonly report: readonly string[];
  readonly timings?: string;
  readonly activate: readonly string[];
  readonly previous?: string;
  readonly solver: EngineName;
  readonly output: OutputFormat;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Run the control loop over a recorded week, closed loop, or replay the epochs of a journal as they were',
    )
    .option('--world <dir>', 'world directory')
    .option('--policy <file>', 'policy; repeat it for services that are solved together', collect, [])
    .option('--tree <file>', 'bucket tree of the world’s users')
    .option('--from <time>', 'first epoch; default: the first of the world')
    .option('--to <time>', 'end, exclusive; default: the end of the world')
    .option('--oracle', 'plan each epoch on the demand it is judged by, not on what was known before it')
    .option(
      '--fractions <file>',
      'take fractions from a CSV (time,edge,datacenter,fraction) in place of the linear program',
    )
    .option('--against <policy>', 'run this policy too, on the same world and tree, and say how the two differ')
    .option(
      '--what-if <edits>',
      'run an edited world and policy: capacity.DATACENTER, demand.EDGE, rtt.EDGE.DATACENTER, state.DATACENTER.keep, policy.KEY, each with =, *= or +=, by commas; * names all',
    )
    .option(
      '--activate <time=tree>',
      'another tree takes over from this time on, as fast as churnMax allows; may be repeated',
      collect,
      [],
    )
    .option('--previous <file>', 'table in force before the first epoch, a plan; a ramp keeps to it what is not aboard')
    .addOption(intentsOption())
    .option('--report <file>', 'write the report: .json for scripts, .html for people; may be repeated', collect, [])
    .option('--timings <file>', 'write CPU and wall time and memory to a file of its own, JSON')
    .option('--journal <file>', 'replay the recorded epochs of a journal file instead; exit 3 where a table differs')
    .option('--accept', 'with --journal: where tables differ, write the file anew with what its epochs come to now')
    .addOption(solverOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  taiji replay --world world --policy policy.yaml --tree tree
  taiji replay --world world --policy policy.yaml --tree tree --oracle --report week.json --report week.html
  taiji replay --world world --policy policy.yaml --tree tree --from 2026-03-04T16:00:00Z --to 2026-03-04T20:00:00Z
  taiji replay --world world --policy policy.yaml --tree tree --fractions fractions.csv
  taiji replay --world world --policy new.yaml --tree tree --against policy.yaml --report both.json
  taiji replay --world world --policy policy.yaml --tree tree --what-if 'demand.*=1.3,state.tokyo.keep=0'
  taiji replay --world world --policy policy.yaml --tree tree --against policy.yaml --what-if policy.guards.churnMax=0.02
  taiji replay --world world --policy policy.yaml --tree tree --intents drills.yaml
  taiji replay --world world --policy web.yaml --policy chat.yaml --tree tree --report services.json
  taiji replay --world world --policy policy.yaml --tree tree --activate 2026-03-03T03:00:00Z=next-tree
  taiji replay --world world --policy ramped.yaml --tree tree --previous today.json
  taiji replay --journal data/journal/00000001.jsonl
  taiji replay --journal postmortem/journal/00000001.jsonl --accept

What the policy asserts (assert: ["utilizationMax < 0.85", "rttMsP95 rise < 5"]) must hold in every epoch, or the exit is 3;
a rise is over the policy of --against and cannot hold without one.
Of what-if edits, *= is always the operator: demand.*=1.3 multiplies all demand, demand.* =100 sets it. Edits of the
world hold for both policies, edits of the policy for --policy alone.`,
    )
    .action(async (flags: ReplayFlags) => {
      if (flags.journal === undefined) await replayWorldFiles(flags);
      else await replayJournalFile(flags, flags.journal);
    });
}

async function replayJournalFile(flags: ReplayFlags, file: string): Promise<void> {
  if (flags.world !== undefined || flags.policy.length > 0 || flags.tree !== undefined) {
    throw new ConfigError('--journal: a journal brings its own world, policy and tree; leave those flags out');
  }
  const given = {
    against: flags.against,
    'what-if': flags.whatIf,
    fractions: flags.fractions,
    intents: flags.intents,
    activate: flags.activate[0],
    previous: flags.previous,
  };
  const alone = Object.entries(given).find(([, value]) => value !== undefined);
  if (alone !== undefined) {
    throw new ConfigError(`--${alone[0]}: a journal is replayed as it was; replay a world instead`);
  }
  if (flags.accept) {
    const replay = await acceptJournal(file, flags.solver);
    if (flags.output === 'table') process.stdout.write(`${file}: ${describeAccepted(replay)}\n`);
    else print(replay, flags.output);
    return;
  }
  const replay = await replayJournal(file, flags.solver);
  if (flags.output === 'table') process.stdout.write(`${file}: ${describeReplay(replay)}\n`);
  else print(replay, flags.output);
  if (replay.difference) process.exitCode = 3;
}

async function replayWorldFiles(flags: ReplayFlags): Promise<void> {
  if (flags.accept)
    throw new ConfigError('--accept: goes with --journal; a world has no recorded tables to differ from');
  const { world: worldDir, tree } = flags;
  const [policyFile, ...otherPolicies] = flags.policy;
  if (worldDir === undefined || policyFile === undefined || tree === undefined) {
    throw new ConfigError('replay: --world, --policy and --tree are needed, or --journal; see taiji replay --help');
  }
  for (const file of flags.report) {
    if (!/\.(json|html)$/.test(file))
      throw new ConfigError(`--report ${file}: expected a name ending in .json or .html`);
  }
  const startedMs = performance.now();
  const setting = await openSetting({ world: worldDir, policy: policyFile, tree, solver: flags.solver });
  try {
    const { world, policy, context } = setting;
    const { timesMs } = world.demand;
    const fromMs = flags.from === undefined ? timesMs[0]! : timeOf(flags.from, '--from');
    const toMs = flags.to === undefined ? timesMs.at(-1)! + 1 : timeOf(flags.to, '--to');
    const intents = readIntents(flags.intents, world.topology);
    const total = timesMs.filter((timeMs) => timeMs >= fromMs && timeMs < toMs).length;
    if (total === 0)
      throw new ConfigError('--from and --to leave no epoch of the world; look at the times of demand.csv');
    const activations = activationsOf(flags.activate, context.tree);
    const options: ReplayOptions = { fromMs, toMs, oracle: flags.oracle === true, activations, intents };
    const tablesBefore = (policies: readonly Policy[]): readonly (RoutingTable | null)[] => {
      const names = policies.map(({ metadata }) => metadata.service);
      return previousTables(flags.previous, names, world.topology, context.tree.version);
    };
    if (otherPolicies.length > 0) {
      if (flags.against !== undefined || flags.whatIf !== undefined || flags.fractions !== undefined) {
        throw new ConfigError(
          '--against, --what-if and --fractions take one policy; replay the services one at a time',
        );
      }
      const unstarted = servicesOf(setting.wholeWorld, flags.policy, context);
      const before = tablesBefore(unstarted.map((one) => one.policy));
      const services = unstarted.map((one, s): ReplayedService => {
        return { ...one, previous: before[s]!, context: withBase(context, one.policy, before[s]!) };
      });
      writeServices(flags, await replayServices(setting.wholeWorld, services, options), services);
      if (flags.timings !== undefined) writeTimings(flags.timings, startedMs);
      return;
    }
    const edits = flags.whatIf === undefined ? [] : parseEdits(flags.whatIf, world.topology);
    const edited = applyEdits(world, policy, edits);
    const other = flags.against === undefined ? null : { ...edited, policy: policyFor(edited.world, flags.against) };
    const fractionsAt =
      flags.fractions === undefined
        ? undefined
        : parseFractions(readText(flags.fractions), flags.fractions, world.topology, fromMs);
    const previous = tablesBefore([policy])[0]!;
    const bar = await progressBar();
    let done = 0;
    const run = (setting: WhatIf): Promise<ReplayReport> => {
      const own = { ...options, statesOf: setting.statesOf, ...(fractionsAt && { fractionsAt }) };
      const service = { ...setting, previous, context: withBase(context, setting.policy, previous) };
      return replayed(service, own, () => {
        done += 1;
        bar.show('replay', done, other ? 2 * total : total);
      });
    };
    const own = await run(edited);
    const others = other && (await run(other));
    const against = others?.summary ?? null;
    bar.stop();
    const assertions = judgeAssertions(
      assertionsOf(edited.policy),
      own.epochs,
      others?.epochs ?? null,
      'give --against POLICY',
    );
    const compared = against && { summary: against, change: changesOf(own.summary, against) };
    const said = {
      ...(assertions.length > 0 && { assertions }),
      ...(edits.length > 0 && { whatIf: edits.map(({ text }) => text) }),
      ...(compared && { against: compared }),
    };
    const report: ReplayReport = { ...own, assertions, ...said };
    writeReports(flags.report, report);
    if (flags.timings !== undefined) writeTimings(flags.timings, startedMs);
    if (!allHold(assertions)) process.exitCode = 3;
    const lines = [
      ...summaryLines(report.summary),
      ...assertionLines(assertions),
      ...(against ? ['', ...comparedSummaries(own.summary, against)] : []),
    ];
    if (flags.output === 'table') process.stdout.write(`${lines.join('\n')}\n`);
    else print({ ...report.summary, ...said }, flags.output);
  } finally {
    await setting.close();
  }
}

/** By time. Throws a ConfigError where a tree cannot take over from the one the replay starts with. */
function activationsOf(flags: readonly string[], { height }: BucketTree): readonly Activation[] {
  const activations = flags.map((text): Activation => {
    const [time = '', ...file] = text.split('=');
    if (file.length === 0) {
      throw new ConfigError(`--activate is "${text}", expected TIME=TREE such as 2026-03-03T03:00:00Z=next-tree`);
    }
    const tree = readTree(file.join('='));
    checkSameHeight(tree, height, file.join('='));
    return { timeMs: timeOf(time, '--activate'), tree };
  });
  return activations.sort((a, b) => a.timeMs - b.timeMs);
}

async function replayed(
  { world, policy, context, previous }: Required<ReplayedService>,
  options: ReplayOptions,
  onEpoch: () => void,
): Promise<ReplayReport> {
  const engines = context.secondSolver ? [context.solver, context.secondSolver] : [context.solver];
  const builder = new ReportBuilder(
    world,
    policy,
    context,
    certifiedBy(engines, () => {}),
  );
  for await (const epoch of replayWorld(world, policy, context, options, previous)) {
    await builder.add(epoch);
    onEpoch();
  }
  return builder.finish();
}

/** One JSON for all services, a page for each, each one's assertions judged by itself. */
function writeServices(
  flags: ReplayFlags,
  reports: Readonly<Record<string, ReplayReport>>,
  services: readonly ReplayedService[],
): void {
  const judged = services.map(({ policy }) => {
    const { service } = policy.metadata;
    const report = reports[service]!;
    const assertions = judgeAssertions(
      assertionsOf(policy),
      report.epochs,
      null,
      'replay one policy --against another',
    );
    return { service, report: { ...report, assertions } };
  });
  for (const file of flags.report) {
    if (file.endsWith('.json')) {
      const all = Object.fromEntries(judged.map(({ service, report }) => [service, report]));
      writeFileAtomically(file, `${JSON.stringify({ services: all }, null, 1)}\n`);
    } else {
      for (const { service, report } of judged) {
        writeFileAtomically(file.replace(/html$/, `${service}.html`), htmlReport(report));
      }
    }
  }
  if (!judged.every(({ report }) => allHold(report.assertions))) process.exitCode = 3;
  if (flags.output !== 'table') {
    print(
      { services: Object.fromEntries(judged.map(({ service, report }) => [service, report.summary])) },
      flags.output,
    );
    return;
  }
  const texts = judged.map(({ service, report }) =>
    [`service ${service}`, ...summaryLines(report.summary), ...assertionLines(report.assertions)].join('\n'),
  );
  process.stdout.write(`${texts.join('\n\n')}\n`);
}

function policyFor({ topology }: World, file: string): Policy {
  const policy = readPolicy(file);
  checkPolicyFor(policy, topology, file);
  return policy;
}

function writeReports(files: readonly string[], report: ReplayReport): void {
  for (const file of files) {
    writeFileAtomically(file, file.endsWith('.html') ? htmlReport(report) : `${JSON.stringify(report, null, 1)}\n`);
  }
}

/** Apart from the report, which carries no clock. */
function writeTimings(file: string, startedMs: number): void {
  const cpu = process.cpuUsage();
  const timings = {
    wallSeconds: (performance.now() - startedMs) / 1000,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    rssPeakBytes: process.resourceUsage().maxRSS * 1024,
  };
  writeFileAtomically(file, `${JSON.stringify(timings)}\n`);
}

function print(value: unknown, format: 'json' | 'yaml'): void {
  process.stdout.write(format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value));
}

function summaryLines(summary: ReplaySummary): string[] {
  const { churn, utilizationGap: gap, connectionLocality, tiesCanMeet, segmentsWhole, servedToWanted } = summary;
  const share = (value: number): string => value.toFixed(4);
  const outcomes = Object.entries(summary.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `epochs               ${summary.epochs}: ${outcomes.join(', ')}; limits gave in ${summary.relaxedEpochs}`,
    ...Object.entries(summary.held).map(([reason, count]) => `                     ${count} x ${reason}`),
    `utilization          highest ${share(summary.utilizationMax)}; over the least possible: p50 ${share(gap.p50)}, p95 ${share(gap.p95)}, p99 ${share(gap.p99)}, max ${share(gap.max)}`,
    `rtt                  mean ${summary.rttMs.mean.toFixed(1)} ms, p95 ${summary.rttMs.p95Mean.toFixed(1)} ms`,
    `churn an epoch       forced ${share(churn.forced)}, elective ${share(churn.elective)} (max ${share(churn.electiveMax)}), deferred ${share(churn.deferred)}`,
    `least possible       ${share(churn.minimum)} for these fractions (${churn.toMinimum.toFixed(3)} x), ${summary.needed === null ? 'not known' : share(summary.needed)} for balance alone`,
    `served to wanted     mean ${servedToWanted.mean.toFixed(5)}, max ${servedToWanted.max.toFixed(5)} (half L1)`,
    `friends together     mean ${share(connectionLocality.mean)}, p5 ${share(connectionLocality.p5)}, last ${share(connectionLocality.last)}`,
    `friends can meet     mean ${share(tiesCanMeet.mean)}, p5 ${share(tiesCanMeet.p5)}, last ${share(tiesCanMeet.last)}`,
    `segments whole       mean ${share(segmentsWhole.mean)}, p5 ${share(segmentsWhole.p5)}`,
    ...(summary.trees ?? []).map(
      ({ time, until, epochs, users, churn: moved, electiveMax, connectionLocality: { before, after } }) =>
        `tree from ${time}  ${users} users in ${epochs} epochs until ${until ?? 'after the end'}: ${share(moved)} of demand moved, at most ${share(electiveMax)} an epoch; friends together ${share(before)} before, ${share(after)} after`,
    ),
    `tables               sha256 ${summary.tablesSha256}`,
  ];
}
