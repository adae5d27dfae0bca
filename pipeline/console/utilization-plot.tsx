/** Load over capacity of every datacenter, epoch by epoch, and where capacity ends. */

import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Epoch } from './control-plane.ts';
import { percent } from './format.ts';
import { colour, Plot, secondsOf, timeSeries } from './plot.tsx';

/** Ten hues that keep apart on light and dark; from the eleventh datacenter on they come again, dashed. */
const hues = [
  '#4c78d0',
  '#e07b26',
  '#2fa05a',
  '#d6453d',
  '#9467c9',
  '#a0705f',
  '#dd6fb4',
  '#8a8f99',
  '#b3a426',
  '#25a9bd',
];

export function UtilizationPlot({ epochs, names }: { epochs: readonly Epoch[]; names: readonly string[] }) {
  const key = names.join('\n');
  const series = useMemo(() => [timeSeries(), ...names.map(lineOf), limitLine()], [key]);
  const data = useMemo(
    (): uPlot.AlignedData => [
      secondsOf(epochs),
      ...names.map((name) => epochs.map(({ utilization }) => utilization[name] ?? null)),
      epochs.map(() => 1),
    ],
    [epochs, key],
  );
  return (
    <Plot
      title="Utilization"
      note="load over capacity, by datacenter"
      {...{ series, data }}
      maxAtLeast={1.05}
      heightPx={300}
    />
  );
}

function lineOf(label: string, index: number): uPlot.Series {
  const dash = Math.floor(index / hues.length) % 4;
  return {
    label,
    stroke: hues[index % hues.length]!,
    width: 1.5,
    points: { show: false },
    value: (_, share) => (share === null ? '' : percent(share)),
    ...(dash > 0 ? { dash: [3 * dash, 3] } : {}),
  };
}

function limitLine(): uPlot.Series {
  return {
    label: 'capacity',
    stroke: () => colour('--bad'),
    width: 1,
    dash: [6, 4],
    points: { show: false },
    value: (_, share) => (share === null ? '' : percent(share, 0)),
  };
}
