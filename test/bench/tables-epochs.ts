/** Epochs of tables for one size in a process of its own, so that its memory and its compiled code are its own:
 *  `node dist/test/bench/tables-epochs.js week DIR | full EDGES DATACENTERS | homes EDGES DATACENTERS USERS` prints one line
 *  of JSON. Fractions are given, not solved: capacity by nearness, levelled for each epoch's demand, so that every edge wants
 *  something else in every epoch; what is timed is all that comes after them. `full`: every bucket has users at every edge;
 *  `homes`: as people of a generated world live. */

import { bucketize } from '../../bucketizer/bucketize.ts';
import type { BucketTree } from '../../bucketizer/tree.ts';
import { generateWorld } from '../../config/generate.ts';
import { seededRandom } from '../../config/random.ts';
import type { Topology } from '../../config/topology.ts';
import { stepMs, type World } from '../../config/world.ts';
import type { EpochContext } from '../../pipeline/epoch/inputs.ts';
import { freshState, planEpoch } from '../../pipeline/epoch.ts';
import { demandAt } from '../../pipeline/replay/planned-demand.ts';
import { type BucketWeights, bucketWeights, weightsOfSums } from '../../pipeline/table/bucket-weights.ts';
import { cellTies } from '../../pipeline/table/cell-ties.ts';
import { type CompiledTable, compileTable, makeFallbacks } from '../../pipeline/table/compile.ts';
import type { RoutingTable } from '../../pipeline/table/routing-table.ts';
import { statesAt } from '../../runtime/states.ts';
import { levelledFractions } from './churn-levelled.ts';
import { policyOf, realWeek } from './real-week.ts';

/** CPU ms, garbage collection included. */
export interface TablesRun {
  readonly cells: number; // with demand
  readonly firstMs: number; // nothing served before
  readonly nextMs: readonly number[];
  readonly changedEdges: number; // mean an epoch
  readonly rssMb: number; // most
}

const height = 14;
const epochs = 60;
const warmingEpochs = 20; // code is compiled, and the heap finds its size; a control plane runs for weeks
const generatedUsers = 50_000; // for the tree of `full`

if (process.argv[1] === import.meta.filename) {
  const [kind, ...sizes] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(await run(kind === 'week' ? real(sizes[0]!) : generated(kind!, sizes)))}\n`);
  process.exit();
}

interface Setting {
  readonly world: World;
  readonly context: Pick<EpochContext, 'tree' | 'weights' | 'cellTies'>;
}

async function run({ world, context: routing }: Setting): Promise<TablesRun> {
  const { topology, demand } = world;
  const policy = policyOf();
  const solver = { name: 'highs', solve: () => Promise.reject(new Error('fractions are given')) } as const;
  const context: EpochContext = { ...routing, solver };
  let previous: RoutingTable | null = null;
  let carried = freshState;
  let compiled: CompiledTable | null = null;
  let changed = 0;
  const ms: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const demandRps = demandAt(world, epoch);
    const total = demandRps.reduce((a, b) => a + b, 0);
    const startMs = demand.timesMs[epoch]!;
    const states = statesAt(world, startMs);
    const fractions = levelledFractions(
      topology,
      demandRps.map((rps) => rps / total),
      states,
    );
    const began = cpuMs();
    const inputs = { epoch, startMs, topology, policy, demandRps, states, intents: [], carried, previous };
    const plan = await planEpoch({ ...inputs, epochMs: stepMs(demand), fractions }, context);
    if (!plan.table) throw new Error(`epoch ${epoch} was held: ${plan.reason}`);
    const fallbacks = compiled?.fallbacks ?? makeFallbacks(topology, height, plan.ceilings);
    const last: CompiledTable | null = compiled;
    compiled = compileTable(plan.table, fallbacks, compiled);
    ms.push(cpuMs() - began);
    changed += last === null ? 0 : compiled.bodies.filter((body, e) => body !== last.bodies[e]).length;
    previous = plan.table;
    carried = plan.carried;
  }
  return {
    cells: routing.weights.byEdge.reduce((sum, { bucket }) => sum + bucket.length, 0),
    firstMs: ms[0]!,
    nextMs: ms.slice(warmingEpochs),
    changedEdges: changed / (epochs - 1),
    rssMb: process.resourceUsage().maxRSS / 1000,
  };
}

function real(dataDir: string): Setting {
  const world = realWeek(dataDir)!;
  return withHomes(world);
}

function generated(kind: string, sizes: readonly string[]): Setting {
  const [edges, datacenters, users = generatedUsers] = sizes.map(Number) as [number, number, number?];
  const world = generateWorld({ edges, datacenters, users, days: 1, seed: 1 });
  if (kind === 'homes') return withHomes(world);
  const tree = treeOf(world);
  return { world, context: { tree, weights: everyCell(world.topology, tree) } };
}

function withHomes(world: World): Setting {
  const tree = treeOf(world);
  const weights = bucketWeights(world.topology, tree, world.users);
  return { world, context: { tree, weights, cellTies: cellTies(world, tree, weights) } };
}

function treeOf({ users, friends }: World): BucketTree {
  const ties = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  return bucketize(ties, { height, seed: 1, effort: 'fast' }).tree;
}

/** Buckets weigh what the tree says, half more or less from edge to edge. */
function everyCell(topology: Topology, { bucketWeight }: BucketTree): BucketWeights {
  const random = seededRandom(1);
  const sums = topology.edges.map(() => bucketWeight.map((weight) => Math.max(1, weight) * (0.5 + random())));
  return weightsOfSums(sums, bucketWeight);
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
