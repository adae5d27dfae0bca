import { expect, test } from 'vitest';
import { freshState, retainedFractions } from '../../runtime/guards.ts';
import { buildGroupModel } from '../../runtime/model.ts';
import { columnOf } from '../../runtime/pair-columns.ts';
import { formulate } from '../../runtime/placement.ts';
import { inputsOf, policyOf, topologyOf } from '../scene.ts';

test('which of two services makes a move is no tie that an engine could break as it likes', () => {
  const topology = topologyOf(3, [100, 100, 100], (e, d) => 10 + 20 * Math.abs(e - d));
  const served = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const services = Array.from({ length: 3 }, () =>
    inputsOf(topology, [20, 20, 20], { policy: policyOf({ objective: 'closest-first' }), served }),
  );
  const built = buildGroupModel(
    services.map((inputs) => ({ inputs, retained: retainedFractions(freshState, topology, inputs.states) })),
  );
  if (built.kind !== 'model') throw new Error(built.edge);
  const { model } = built;
  const { program, layout } = formulate(model, { limits: null, levelMax: new Float64Array(3).fill(1), seek: 'calm' });
  for (let pair = 0; pair < 9; pair++) {
    const costs = [0, 9, 18].map((of) => program.cost[columnOf(layout.gained, of + pair)]!).sort((a, b) => a - b);
    for (const [k, cost] of costs.slice(1).entries()) {
      expect(cost - costs[k]!, `pair ${pair}`).toBeGreaterThan(1e-6); // engines tell apart what differs by 1e-7
    }
  }
});
