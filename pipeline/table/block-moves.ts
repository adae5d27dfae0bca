/** Moves weight from one datacenter to another at one edge, block by block: a block is what one segment has on one
 *  datacenter there. Blocks rather than buckets keep segments whole and take communities along; bucket by bucket, friends
 *  alone left half of all segments split (ASSIGN trials: .45 to .55 whole, against .98).
 *
 *  Best class first: what closes or extends an old split, then what keeps whole, and a new split only for an amount no
 *  block fits. Inside a class by friends won per weight, then by how far the segment has gone over already. */

import type { EdgeWork } from './edge-work.ts';

/** How much having gone over already counts, against friends in average ties a unit of weight. */
const momentum = 0.3;

/** Moves at most `amount` + `slack` of the edge's demand from `from` to `to`, about `amount` if cells allow. Returns what
 *  it moved; 0 means that no cell there fits. */
export function moveBlocks(work: EdgeWork, from: number, to: number, amount: number, slack: number): number {
  let left = amount;
  const candidates = segmentsOn(work, from);
  const near = slack / 2; // close enough: not worth another cell
  const opensAbove = slack; // nor worth opening a split
  for (const [belongs, whole] of classes) {
    if (left <= (whole ? near : opensAbove) && belongs !== isShared) break;
    const most = whole ? left + slack : Number.POSITIVE_INFINITY;
    for (const segment of byGain(work, candidates, from, to, belongs, most)) {
      if (left <= near) break;
      const part = work.part[segment * work.width + from]!;
      if (part <= left + slack) left -= moveBlock(work, segment, from, to);
      else if (!whole) left -= movePart(work, segment, from, to, left, slack);
    }
  }
  return amount - left;
}

type Belongs = (work: EdgeWork, segment: number, from: number, to: number) => boolean;

/** Split between the two already. */
const isShared: Belongs = (work, s, _from, to) => work.partCells[s * work.width + to]! > 0;

/** Split already, but not with `to`: going over whole leaves as many pieces as before. */
const isSplitElsewhere: Belongs = (work, s, from, to) => !isShared(work, s, from, to) && !isWhole(work, s, from, to);

/** All of it on `from`. */
const isWhole: Belongs = (work, s, from) =>
  work.partCells[s * work.width + from]! === work.firstCell[s + 1]! - work.firstCell[s]!;

/** In order of preference: which segments, and whether only if their block fits whole. */
const classes: readonly (readonly [Belongs, boolean])[] = [
  [isShared, false],
  [isSplitElsewhere, true],
  [isWhole, true],
  [isSplitElsewhere, false],
  [isWhole, false],
];

function segmentsOn(work: EdgeWork, from: number): number[] {
  const segments: number[] = [];
  for (let s = 0; s < work.segmentCount; s++) if (work.partCells[s * work.width + from]! > 0) segments.push(s);
  return segments;
}

/** Those of `candidates` that belong to the class and whose block weighs at most `most`, the best first. */
function byGain(
  work: EdgeWork,
  candidates: readonly number[],
  from: number,
  to: number,
  belongs: Belongs,
  most: number,
): number[] {
  const found: { segment: number; gain: number }[] = [];
  for (const segment of candidates) {
    const row = segment * work.width;
    if (work.partCells[row + from] === 0 || work.part[row + from]! > most) continue;
    if (!belongs(work, segment, from, to)) continue;
    const gone = (work.part[row + to]! - work.part[row + from]!) / work.segmentWeight[segment]!;
    found.push({ segment, gain: work.blockGain(segment, from, to) + momentum * gone });
  }
  found.sort((a, b) => b.gain - a.gain || a.segment - b.segment);
  return found.map(({ segment }) => segment);
}

function moveBlock(work: EdgeWork, segment: number, from: number, to: number): number {
  let moved = 0;
  for (const i of cellsOf(work, segment, from)) {
    moved += work.cells.weight[i]!;
    work.moveCell(i, to);
  }
  return moved;
}

/** The cells that win most friends first, as long as they fit. */
function movePart(work: EdgeWork, segment: number, from: number, to: number, amount: number, slack: number): number {
  const cells = cellsOf(work, segment, from).map((i) => ({ i, gain: work.cellGain(i, from, to) }));
  cells.sort((a, b) => b.gain - a.gain || a.i - b.i);
  let moved = 0;
  for (const { i } of cells) {
    if (amount - moved <= slack / 2) break;
    const weight = work.cells.weight[i]!;
    if (moved + weight > amount + slack) continue;
    work.moveCell(i, to);
    moved += weight;
  }
  return moved;
}

function cellsOf(work: EdgeWork, segment: number, datacenter: number): number[] {
  const cells: number[] = [];
  for (let i = work.firstCell[segment]!; i < work.firstCell[segment + 1]!; i++) {
    if (work.assignment[work.cells.bucket[i]!] === datacenter) cells.push(i);
  }
  return cells;
}
