/** A plot of shares as inline SVG: lines over named columns, every point marked, so that one column is seen too, and its
 *  figure told where the pointer rests on it. It lies in a box of class `scroll`: letters shrink with it, so that pages
 *  bound how narrow it gets. */

import { percent } from './figures.ts';

const width = 960;
const height = 300;
const margin = { left: 76, right: 24, top: 12, bottom: 52 } as const;
const rowHeight = 17; // of names below the columns
const palette = ['#3b7dd8', '#d8603b', '#3ba55d'] as const;

export interface Line {
  readonly name: string;
  readonly values: readonly number[]; // [column] 0..1
}

/** What stands below the columns; at most two, and 17 columns of six letters have room. */
export interface ColumnNames {
  readonly of: string;
  readonly names: readonly string[]; // [column]
}

export function sharePlot(title: string, below: readonly ColumnNames[], lines: readonly Line[]): string {
  const last = Math.max(1, below[0]!.names.length - 1);
  const x = (i: number): string => (margin.left + (i / last) * (width - margin.left - margin.right)).toFixed(1);
  const y = (share: number): string =>
    (height - margin.bottom - share * (height - margin.top - margin.bottom)).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share);
    return `<line class="axis" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/><text x="${margin.left - 10}" y="${at}" text-anchor="end" dominant-baseline="middle">${100 * share} %</text>`;
  });
  const names = below.map(({ of, names }, row) => {
    const at = height - margin.bottom + 8 + (row + 1) * rowHeight;
    const texts = names.map((name, i) => `<text x="${x(i)}" y="${at}" text-anchor="middle">${name}</text>`);
    return `<text class="of" x="0" y="${at}">${of}</text>${texts.join('')}`;
  });
  const drawn = lines.map(({ name, values }, l) => {
    const points = values.map((value, i) => `${x(i)},${y(value)}`).join(' ');
    const marks = values.map((value, i) => {
      const told = `${name}, ${below[0]!.of} ${below[0]!.names[i]}: ${percent(value)}`;
      return `<circle cx="${x(i)}" cy="${y(value)}" r="3.5" fill="${palette[l]}"><title>${told}</title></circle>`;
    });
    return `<polyline fill="none" stroke="${palette[l]}" stroke-width="2" points="${points}"/>${marks.join('')}`;
  });
  const legend = lines.map(({ name }, l) => `<span><i style="background:${palette[l]}"></i>${name}</span>`);
  return `<div class="scroll"><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${[...ticks, ...names, ...drawn].join('')}</svg></div><p class="legend">${legend.join(' ')}</p>`;
}
