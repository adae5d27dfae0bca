/** A uPlot that follows its data, its container's width and the colour scheme. uPlot draws on a canvas and sets styles
 *  through the DOM, which a content security policy without inline styles allows. */

import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

interface PlotProps {
  readonly title: string;
  readonly note: string;
  readonly series: uPlot.Series[]; // the first is time; a change of their labels makes the plot anew
  readonly data: uPlot.AlignedData;
  readonly maxAtLeast: number; // the axis reaches at least this far up
  readonly heightPx: number;
}

export function Plot({ title, note, series, data, maxAtLeast, heightPx }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(data);
  latest.current = data;
  const shape = series.map(({ label }) => label).join('\n');

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const made = new uPlot(options(series, maxAtLeast, element.clientWidth, heightPx), latest.current, element);
    plot.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPx }));
    resize.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = (): void => made.redraw(false, true);
    scheme.addEventListener('change', redraw);
    return () => {
      resize.disconnect();
      scheme.removeEventListener('change', redraw);
      made.destroy();
      plot.current = null;
    };
  }, [shape, maxAtLeast, heightPx]);

  useEffect(() => plot.current?.setData(data), [data]);

  return (
    <section class="plot">
      <h2>
        {title} <small>{note}</small>
      </h2>
      <div ref={host} />
    </section>
  );
}

function options(series: uPlot.Series[], maxAtLeast: number, width: number, height: number): uPlot.Options {
  const axis = {
    stroke: () => colour('--text-soft'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    series,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    scales: { y: { range: (_, __, max) => [0, Math.max(maxAtLeast, (max ?? 0) * 1.05)] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(axisTime) },
      { ...axis, size: 52, values: (_, ticks) => ticks.map((share) => `${Number((100 * share).toFixed(3))} %`) },
    ],
    cursor: { points: { size: 6 } },
    legend: { live: true },
  };
}

function axisTime(seconds: number): string {
  const time = new Date(seconds * 1000).toISOString();
  return time.slice(11, 16) === '00:00' ? time.slice(5, 10) : time.slice(11, 16);
}

export function colour(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

/** Times of epochs in seconds, as uPlot wants them. */
export function secondsOf(epochs: readonly { readonly time: string }[]): number[] {
  return epochs.map(({ time }) => Date.parse(time) / 1000);
}

export function timeSeries(): uPlot.Series {
  return {
    label: 'UTC',
    value: (_, seconds) =>
      seconds === null ? '' : new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' '),
  };
}
