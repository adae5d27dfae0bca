import { expect, test } from 'vitest';
import { bucketize } from '../../../bucketizer/bucketize.ts';
import type { BucketTree } from '../../../bucketizer/tree.ts';
import { generateWorld } from '../../../config/generate.ts';
import type { EpochContext } from '../../../pipeline/epoch/inputs.ts';
import { freshState, planEpoch, planGroup } from '../../../pipeline/epoch.ts';
import { bodiesAfter, bodyDigests, type EpochBodies } from '../../../pipeline/replay/epoch-bodies.ts';
import {
  decodeJournal,
  encodeRecord,
  type FrozenBase,
  frozenInputs,
  type InputsRecord,
  plainTopology,
  type RecordedRouting,
} from '../../../pipeline/replay/journal-record.ts';
import { acceptRecorded, replayRecorded, tableAfter } from '../../../pipeline/replay/recorded.ts';
import { decodeWeights, encodeWeights } from '../../../pipeline/replay/recorded-weights.ts';
import type { ProposedRouting } from '../../../pipeline/server/routing-source.ts';
import { type BucketWeights, bucketWeights } from '../../../pipeline/table/bucket-weights.ts';
import { tableDigest } from '../../../pipeline/table/routing-table.ts';
import type { Routing } from '../../../pipeline/table/tree-course.ts';
import { normalState } from '../../../runtime/inputs.ts';
import { engineHere, policyOf } from '../../scene.ts';

const world = generateWorld({ seed: 7, edges: 6, datacenters: 3, users: 600, days: 1 });
const { topology, users, friends, demand } = world;
const treeWith = (seed: number): BucketTree =>
  bucketize(
    { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null },
    { height: 6, seed, effort: 'fast' },
  ).tree;
const tree = treeWith(1);
const weights = bucketWeights(topology, tree, users);
const context: EpochContext = { tree, weights, solver: await engineHere('highs') };

const noOther = async (): Promise<Routing> => expect.fail('no epoch names a routing of its own');

/** A journal file of some epochs, as `serve` writes it. `proposed`: [epoch] of those not planned with `context`. */
async function recorded(
  policy: FrozenBase['policy'],
  epochs: number,
  proposed: Readonly<Record<number, ProposedRouting>> = {},
): Promise<string> {
  let base: FrozenBase = { topology, policy, previous: null, carried: freshState, treeVersion: tree.version };
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
    const own = proposed[epoch];
    const inputs: InputsRecord = {
      kind: 'inputs',
      epoch,
      startMs: 300_000 * epoch,
      demandRps: [...demand.rps.slice(24 * epoch * 6, (24 * epoch + 1) * 6)],
      states: topology.datacenters.map(() => normalState),
      intents: [],
      previousSha256: base.previous && tableDigest(base.previous),
      ...(own && { routing: nameOf(own.routing), churnSpent: own.churnSpent }),
    };
    const plan = await planEpoch(frozenInputs(inputs, base), { ...context, ...own?.routing });
    const table = tableAfter(plan, base.previous);
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
  const replayWith = (own: BucketWeights) =>
    replayRecorded(text, { contexts: [{ ...context, weights: own }], routingOf: noOther, plan: planGroup });
  const replayed = await replayWith(read);
  expect(replayed).toMatchObject({ epochs: 6, difference: null });
  const others = { ...weights, edgeWeight: weights.edgeWeight.map((weight, e) => (e === 0 ? weight : 0)) };
  expect((await replayWith(others)).difference).not.toBeNull();
});

test('an epoch replays with the tree and the weights that it names, and with what of its churn was spent', async () => {
  const another = treeWith(2);
  const routing: Routing = { tree: another, weights: bucketWeights(topology, another, users) };
  const first: Routing = { tree, weights };
  const proposed = {
    2: { routing, churnSpent: 0.0499 },
    3: { routing, churnSpent: 0 },
    4: { routing: first, churnSpent: 0.01 },
    5: { routing: first, churnSpent: 0.0499 },
    6: { routing: first, churnSpent: 0.0499 },
  };
  const text = await recorded(policyOf({ guards: { minShift: 0 } }), 7, proposed);
  const known = new Map([routing, first].map((one) => [JSON.stringify(nameOf(one)), one]));
  const asked: string[] = [];
  const replayWith = (of: typeof known, from = text) => {
    const routingOf = async (named: object): Promise<Routing> => {
      asked.push(JSON.stringify(named));
      return of.get(JSON.stringify(named))!;
    };
    return replayRecorded(from, { contexts: [context], routingOf, plan: planGroup });
  };
  expect(await replayWith(known)).toMatchObject({ epochs: 7, difference: null });
  expect(asked).toHaveLength(5);
  const crossed = new Map([...known.keys()].map((name, i) => [name, [first, routing][i]!]));
  expect((await replayWith(crossed)).difference).toMatchObject({ epoch: 2 });
  const unspent = decodeJournal(text).records.map((record) =>
    encodeRecord(record.kind === 'inputs' && record.churnSpent ? { ...record, churnSpent: 0 } : record),
  );
  expect((await replayWith(known, unspent.join(''))).difference).not.toBeNull();
});

test('a file accepts what its epochs come to, from the first that differs on, and replays to the byte', async () => {
  const text = await recorded(policyOf({ guards: { minShift: 0 } }), 6);
  const own = { contexts: [context], routingOf: noOther, plan: planGroup };
  expect(await acceptRecorded(text, own)).toEqual({
    text,
    replay: { ...(await replayRecorded(text, own)), accepted: [] },
  });

  const grown = decodeJournal(text).records.map((record) =>
    record.kind === 'inputs' && record.epoch === 3
      ? { ...record, demandRps: record.demandRps.map((rps, e) => (e === 0 ? 3 * rps : rps)) }
      : record,
  );
  const changed = `${grown.map(encodeRecord).join('')}{"sha256":"torn`;
  expect((await replayRecorded(changed, own)).difference).toMatchObject({ epoch: 3 });
  const accepted = await acceptRecorded(changed, own);
  expect(accepted.replay).toMatchObject({ epochs: 6, difference: null, tornTail: true });
  expect(accepted.replay.accepted[0]).toMatchObject({ epoch: 3 });
  expect(await replayRecorded(accepted.text, own)).toMatchObject({ epochs: 6, difference: null });
  const [before, after] = [changed, accepted.text].map((of) => of.split('\n'));
  expect(after).toHaveLength(before!.length);
  expect(after!.slice(0, 8)).toEqual(before!.slice(0, 8)); // checkpoint, three epochs, inputs of the fourth
  expect(after![8]).not.toBe(before![8]);
});

test('a record that starts from another table than the one before it left is damage, and nothing to accept', async () => {
  const text = await recorded(policyOf({}), 3);
  const altered = decodeJournal(text).records.map((record) =>
    encodeRecord(record.kind === 'inputs' && record.epoch === 1 ? { ...record, previousSha256: 'ab' } : record),
  );
  const own = { contexts: [context], routingOf: noOther, plan: planGroup };
  const { replay } = await acceptRecorded(altered.join(''), own);
  expect(replay).toMatchObject({ accepted: [], difference: { epoch: 1, field: 'previousSha256' } });
});

function nameOf(routing: Routing): RecordedRouting {
  return { treeVersion: routing.tree.version, weightsSha256: encodeWeights(routing.weights).sha256 };
}
