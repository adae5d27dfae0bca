import { expect, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import { generateWorld } from '../../../config/generate.ts';
import { type EpochContext, freshState, planEpoch, planGroup } from '../../../pipeline/epoch.ts';
import { bodiesAfter, bodyDigests, type EpochBodies } from '../../../pipeline/replay/epoch-bodies.ts';
import {
  encodeRecord,
  type FrozenBase,
  frozenInputs,
  type InputsRecord,
  plainTopology,
} from '../../../pipeline/replay/journal-record.ts';
import { changesTable, replayRecorded } from '../../../pipeline/replay/recorded.ts';
import { decodeWeights, encodeWeights } from '../../../pipeline/replay/recorded-weights.ts';
import { bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { tableDigest } from '../../../pipeline/table/routing-table.ts';
import { normalState } from '../../../runtime/inputs.ts';
import { engineHere, policyOf } from '../../scene.ts';

const world = generateWorld({ seed: 7, edges: 6, datacenters: 3, users: 600, days: 1 });
const { topology, users, friends, demand } = world;
const { tree } = bucketize(
  { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null },
  { height: 6, seed: 1, effort: 'fast' },
);
const weights = bucketWeights(topology, tree, users);
const context: EpochContext = { tree, weights, solver: await engineHere('highs') };

/** A journal file of some epochs, as `serve` writes it. */
async function recorded(policy: FrozenBase['policy'], epochs: number): Promise<string> {
  let base: FrozenBase = { topology, policy, previous: null, carried: freshState };
  let bodies: EpochBodies | null = null;
  let text = encodeRecord({
    kind: 'checkpoint',
    format: 3,
    topology: plainTopology(topology),
    policy,
    treeVersion: tree.version,
    weightsSha256: encodeWeights(weights).sha256,
    engine: 'highs',
    previous: null,
    carried: freshState,
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    const inputs: InputsRecord = {
      kind: 'inputs',
      epoch,
      startMs: 300_000 * epoch,
      demandRps: [...demand.rps.slice(24 * epoch * 6, (24 * epoch + 1) * 6)],
      states: topology.datacenters.map(() => normalState),
      intents: [],
      previousSha256: base.previous && tableDigest(base.previous),
    };
    const plan = await planEpoch(frozenInputs(inputs, base), context);
    const table = changesTable(plan) ? plan.table : base.previous;
    const after = bodiesAfter(topology, plan, bodies);
    bodies = after ?? bodies;
    const { outcome, reason, relaxed, churn, carried } = plan;
    const said = { outcome, reason, relaxed, churn, carried, decided: true, summary: null };
    const tableSha256 = table && tableDigest(table);
    text += encodeRecord(inputs);
    text += encodeRecord({ kind: 'outcome', epoch, ...said, tableSha256, bodies: bodyDigests(after) });
    base = { ...base, previous: table, carried };
  }
  return text;
}

test('epochs in which friends were to meet replay to the byte from tree and weights as recorded, and not from others', async () => {
  const text = await recorded(policyOf({ localityPriceMs: 200, guards: { minShift: 0 } }), 6);
  const read = decodeWeights(encodeWeights(weights).text);
  const replayed = await replayRecorded(text, { contexts: [{ ...context, weights: read }], plan: planGroup });
  expect(replayed).toMatchObject({ epochs: 6, difference: null });
  const others = { ...weights, edgeWeight: weights.edgeWeight.map((weight, e) => (e === 0 ? weight : 0)) };
  const different = await replayRecorded(text, { contexts: [{ ...context, weights: others }], plan: planGroup });
  expect(different.difference).not.toBeNull();
});
