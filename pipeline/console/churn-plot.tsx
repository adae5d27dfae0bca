/** How much traffic changed datacenter each epoch: forced by states, chosen, put off, and the least it could have been. */

import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import type { Epoch } from './control-plane.ts';
import { percent } from './format.ts';
import { colour, Plot, secondsOf, timeSeries } from './plot.tsx';

const steps = uPlot.paths.stepped?.({ align: -1 });

export function ChurnPlot({ epochs }: { epochs: readonly Epoch[] }) {
  const series = useMemo(
    () => [
      timeSeries(),
      stepsOf('all moved', { stroke: '#4c78d0', fill: '#4c78d040' }),
      stepsOf('of it forced', { stroke: '#e07b26', fill: '#e07b2660' }),
      stepsOf('put off', { stroke: '#8a8f99', dash: [2, 3] }),
      stepsOf('minimum', { stroke: () => colour('--text'), dash: [5, 3], width: 1 }),
    ],
    [],
  );
  const data = useMemo(
    (): uPlot.AlignedData => [
      secondsOf(epochs),
      epochs.map(({ churn }) => churn.forced + churn.elective),
      epochs.map(({ churn }) => churn.forced),
      epochs.map(({ churn }) => churn.deferred),
      epochs.map(({ churn }) => churn.minimum),
    ],
    [epochs],
  );
  return (
    <Plot
      title="Churn"
      note="share of demand that changed datacenter in an epoch; minimum: the least any table could have moved"
      {...{ series, data }}
      maxAtLeast={0.02}
      heightPx={220}
    />
  );
}

function stepsOf(label: string, line: Partial<uPlot.Series>): uPlot.Series {
  return {
    label,
    width: 1.5,
    points: { show: false },
    value: (_, share) => (share === null ? '' : percent(share, 2)),
    ...(steps ? { paths: steps } : {}),
    ...line,
  };
}
