/** `taiji import`: today's weights as a table, for the first epoch to move from. */

import { Command, InvalidArgumentError } from 'commander';
import { stringify } from 'yaml';
import { formatTime } from '../../config/duration.ts';
import { edgeWeightsOf, parseEdgeWeights } from '../../config/edge-weights.ts';
import { ConfigError } from '../../config/errors.ts';
import { readText, writeFileAtomically } from '../../config/io/files.ts';
import type { Topology } from '../../config/topology.ts';
import type { EngineName } from '../../runtime/lp/problem.ts';
import { balancerWeights } from '../formats/balancer-weights.ts';
import { demandAt } from '../replay/planned-demand.ts';
import { importedTable } from '../table/imported.ts';
import { encodeTable, servedFractions } from '../table/routing-table.ts';
import { sharesOf } from './plan-body.ts';
import { checksumOf } from './plan-file.ts';
import { type OutputFormat, openSetting, outputOption, solverOption, stepAt } from './setting.ts';

interface ImportFlags {
  readonly world: string;
  readonly policy: string;
  readonly tree: string;
  readonly at?: string;
  readonly cluster?: string;
  readonly name: ReadonlyMap<string, string>; // theirs -> ours
  readonly out: string;
  readonly solver: EngineName;
  readonly output: OutputFormat;
}

export function importCommand(): Command {
  return new Command('import')
    .description("Make a table that sends each edge's users where its weights send them today")
    .argument(
      '<file...>',
      'CSV: edge,datacenter,weight; or time,edge,datacenter,fraction, of which the latest time counts. Or EDGE=FILE for each edge, of its load balancer: BFE, HAProxy, Envoy',
    )
    .requiredOption('--world <dir>', 'world directory')
    .requiredOption('--policy <file>', 'policy: whose service, and what assigns its buckets')
    .requiredOption('--tree <file>', 'bucket tree of the world’s users')
    .requiredOption('--out <file>', 'where the table goes: for plan --previous, and for firstTable of a server config')
    .option('--cluster <name>', 'of EDGE=FILE: the cluster, backend or route that is meant, where a file has several')
    .option('--name <theirs=ours>', 'of EDGE=FILE: what they call a datacenter; may be repeated', named, new Map())
    .option('--at <time>', 'demand that edges are weighed by; default: the last of the world')
    .addOption(solverOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      `
Examples:
  taiji import weights.csv --world world --policy policy.yaml --tree tree --out today.json
  taiji plan --world world --policy policy.yaml --tree tree --previous today.json      what Taiji would change first
  taiji replay --world world --policy policy.yaml --tree tree                          and where it would end

  taiji import fra=gslb-fra.data nyc=gslb-nyc.data --cluster web --name idc.fr=frankfurt --name idc.ash=ashburn ...
  echo 'show stat' | socat - /run/haproxy.sock > fra.stat      then: fra=fra.stat --cluster web

weights.csv, as load balancers have them (proportions count, an edge's need not add up to anything):
  edge,datacenter,weight
  fra,frankfurt,60
  fra,dublin,40

"firstTable: today.json" in a server config makes the first epoch of a new dataDirectory move from it, within churnMax.`,
    )
    .action(async (files: readonly string[], flags: ImportFlags) => {
      const setting = await openSetting(flags);
      try {
        const { world, policy, context } = setting;
        const { topology } = world;
        const fractions = weightsOf(files, flags, topology);
        const { t, timeMs } = stepAt(world.demand, flags.at);
        const demandRps = demandAt(world, t);
        const total = demandRps.reduce((a, b) => a + b, 0);
        const edgeLoad = demandRps.map((rps) => (total > 0 ? rps / total : 1 / demandRps.length));
        const { tree, weights } = context;
        const table = importedTable({ topology, policy, tree, weights, edgeLoad, fractions });
        const served = servedFractions(table, weights);
        const width = topology.datacenters.length;
        const off = served.reduce(
          (sum, share, i) => sum + (edgeLoad[Math.floor(i / width)]! * Math.abs(share - fractions[i]!)) / 2,
          0,
        );
        const body = {
          time: formatTime(timeMs),
          outcome: 'initial',
          reason: 'imported',
          wanted: sharesOf(topology, fractions),
          served: sharesOf(topology, served),
          off,
          table: encodeTable(table),
        };
        const { table: _, ...told } = { ...body, checksum: checksumOf(body) };
        writeFileAtomically(flags.out, `${JSON.stringify({ ...body, checksum: told.checksum }, null, 1)}\n`);
        if (flags.output === 'json') process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
        else if (flags.output === 'yaml') process.stdout.write(stringify(told));
        else {
          process.stdout.write(
            `${flags.out}: ${topology.edges.length} edges over ${width} datacenters; ${off.toFixed(5)} of demand is elsewhere than the weights say\n`,
          );
        }
      } finally {
        await setting.close();
      }
    });
}

/** One CSV of all edges, or a file of its load balancer for each. Throws a ConfigError. */
function weightsOf(files: readonly string[], { cluster, name }: ImportFlags, topology: Topology): Float64Array {
  const [only] = files;
  if (files.length === 1 && !only!.includes('=')) return parseEdgeWeights(readText(only!), topology, only!);
  const fileOf = new Map<string, string>();
  const byEdge = new Map<string, ReadonlyMap<string, number>>();
  for (const said of files) {
    const [edge, file] = halves(said);
    if (edge === '' || file === '') {
      throw new ConfigError(`${said}: expected EDGE=FILE, or one CSV alone`);
    }
    if (byEdge.has(edge)) throw new ConfigError(`${said}: edge "${edge}" is given twice; keep one`);
    fileOf.set(edge, file);
    const theirs = balancerWeights(readText(file), cluster ?? null, file);
    const ours = new Map<string, number>();
    for (const [their, weight] of theirs) {
      const datacenter = name.get(their) ?? their;
      ours.set(datacenter, (ours.get(datacenter) ?? 0) + weight); // several clusters may be in one datacenter
    }
    byEdge.set(edge, ours);
  }
  return edgeWeightsOf(byEdge, topology, (edge) => fileOf.get(edge)!);
}

function named(said: string, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [theirs, ours] = halves(said);
  if (theirs === '' || ours === '') throw new InvalidArgumentError('expected THEIRS=OURS, such as idc.fr=frankfurt');
  return new Map([...before, [theirs, ours]]);
}

function halves(said: string): readonly [string, string] {
  const at = said.indexOf('=');
  return at < 0 ? ['', ''] : [said.slice(0, at), said.slice(at + 1)];
}
