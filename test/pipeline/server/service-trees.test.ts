import { describe, expect, test } from 'vitest';
import { fullCut } from '../../../bucketizer/tree-share.ts';
import { atOnce } from '../../../config/steps.ts';
import type { EpochInputs } from '../../../pipeline/epoch/inputs.ts';
import { freshState } from '../../../pipeline/epoch.ts';
import { ServiceTrees } from '../../../pipeline/server/service-trees.ts';
import { makeTargets } from '../../../pipeline/table/routing-table.ts';
import { courseOf, plainCourse } from '../../../pipeline/table/tree-course.ts';
import { policyOf, statesWithout, topologyOf, treeOf } from '../../scene.ts';

const topology = topologyOf(3, [10, 10, 10]);
const [first, second, third] = [treeOf(300, 5, 1), treeOf(300, 5, 2), treeOf(300, 5, 3)];
const users = {
  ids: first.users,
  homeEdge: Uint32Array.from(first.users, (_, u) => u % 3),
  weight: new Float64Array(first.users.length).fill(1),
};
const places = { topology, users };
const asked = { author: 'ann', reason: 'refresh', sinceMs: 1 };

function inputsWith(more: Partial<EpochInputs> = {}): EpochInputs {
  return {
    epoch: 1,
    startMs: 300_000,
    topology,
    policy: policyOf({ guards: { churnMax: 0.2 } }),
    demandRps: Float64Array.of(5, 5, 5),
    states: statesWithout(topology),
    intents: [],
    previous: {
      treeVersion: first.version,
      height: 5,
      targets: makeTargets(topology),
      edges: topology.edges.map(({ id }) => id),
      byEdge: topology.edges.map((_, e) => Uint8Array.from({ length: 32 }, (_, b) => (b + e) % 3)),
    },
    carried: freshState,
    ...more,
  };
}

function onFirst(): ServiceTrees {
  const course = { kind: 'settled', tree: first, before: null } as const;
  return new ServiceTrees(places, { course, asked: null, stated: first.version }, null);
}

describe('a service between trees', () => {
  test('is where its last epoch in force has put it: a proposal that was not taken moves nobody', () => {
    const trees = onFirst();
    trees.go(atOnce(trees.towards(second)), asked);
    const before = [trees.published, trees.routing];
    const proposed = trees.propose(inputsWith());
    expect(proposed.churnSpent).toBeGreaterThan(0);
    expect([trees.published, trees.routing]).toEqual(before);
    const again = trees.propose(inputsWith());
    trees.take(proposed); // of an epoch before
    expect([trees.published, trees.routing]).toEqual(before);
    trees.take(again);
    expect(trees.published.course).toMatchObject({ kind: 'moving', direction: 'on', epochs: 1 });
    expect(trees.routing).toBe(again.routing);
    expect(trees.lastStep!.churn).toBe(again.churnSpent);
    expect(trees.progress).toMatchObject({ moved: trees.lastStep!.users, of: trees.progress!.of });
    expect(trees.progress!.epochsLeft).toBeGreaterThan(0);
  });

  test('arrives, can go back, and is read back from what was stored at any moment', () => {
    const trees = onFirst();
    const known = new Map([first, second].map((tree) => [tree.version, tree]));
    trees.go(atOnce(trees.towards(second)), asked);
    let epochs = 0;
    for (; trees.course.kind === 'moving'; epochs++) {
      const { course, ...rest } = JSON.parse(JSON.stringify(trees.published));
      const read = courseOf(course, (version) => known.get(version)!, places);
      const resumed = new ServiceTrees(places, { course: read, ...rest }, null);
      expect(resumed.published).toEqual(trees.published);
      expect(resumed.routing).toEqual(trees.routing);
      trees.take(trees.propose(inputsWith()));
      resumed.take(resumed.propose(inputsWith()));
      expect(resumed.published).toEqual(trees.published);
    }
    expect(epochs).toBeGreaterThan(3);
    expect(trees.published.course).toEqual({ kind: 'settled', tree: second.version, before: first.version });
    expect(trees.progress).toBe(null);
    trees.go(
      atOnce(
        trees.back(function* (version) {
          yield;
          return known.get(version)!;
        }),
      ),
      asked,
    );
    expect(plainCourse(trees.course)).toMatchObject({ from: first.version, to: second.version, cut: fullCut });
  });

  test('takes one move at a time', () => {
    const trees = onFirst();
    const treeOfNone = () => expect.fail('no tree is asked for');
    expect(() => atOnce(trees.back(treeOfNone))).toThrow(/took over from no other/);
    expect(() => atOnce(trees.towards(first))).toThrow(/is in force already/);
    trees.go(atOnce(trees.towards(second)), asked);
    expect(() => atOnce(trees.towards(third))).toThrow(/^users are on their way to tree/);
    expect(() => atOnce(trees.towards(second))).toThrow(/^users are on their way to tree/);
    trees.go(atOnce(trees.back(treeOfNone)), asked);
    expect(() => atOnce(trees.back(treeOfNone))).toThrow(/^users are on their way back to tree/);
    expect(() => atOnce(trees.towards(third))).toThrow(/activate the other tree again/);
    expect(atOnce(trees.towards(second)).direction).toBe('on');
  });

  test('is stuck after an hour of epochs in which nobody passed, for whatever reason, and no longer once somebody has', () => {
    const trees = onFirst();
    trees.go(atOnce(trees.towards(second)), asked);
    const out = inputsWith({ states: statesWithout(topology, 1) });
    for (let epoch = 0; epoch < 11; epoch++) trees.take(trees.propose(out));
    for (let tick = 0; tick < 20; tick++) trees.propose(inputsWith({ isDue: false }));
    expect(trees.stuck).toBe(null);
    trees.take(trees.propose(out));
    expect(trees.stuck).toMatch(/^nobody has passed to the other tree for 12 epochs: .* is out, or on its way out/);
    trees.propose(inputsWith()); // and held
    expect(trees.stuck).toMatch(/for 13 epochs: their plans were held, rejected or failed$/);
    trees.take(trees.propose(inputsWith()));
    expect(trees.stuck).toBe(null);
  });
});
