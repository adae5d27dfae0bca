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
const isSplitElsewhere: Belongs = (work, s, from, to) => !isShared(work, s, from, to) && !isWhole(work, s, from);

/** All of it on `from`. */
const isWhole = (work: EdgeWork, s: number, from: number): boolean =>
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
  for (const i of work.cellsOf(segment, from)) {
    moved += work.cells.weight[i]!;
    work.moveCell(i, to);
  }
  return moved;
}

/** The cells that win most friends first, as long as they fit. */
function movePart(work: EdgeWork, segment: number, from: number, to: number, amount: number, slack: number): number {
  const cells = work.cellsOf(segment, from).map((i) => ({ i, gain: work.cellTies(i, to) / work.cells.weight[i]! }));
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

export interface BlockMove {
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  readonly amount: number; // at most this and the slack
  readonly rank: number; // less is better, before gain
  readonly gain: number;
}

/** The better of `best` and the best block to go from `from` to `to`. */
export function betterBlock(
  work: EdgeWork,
  from: number,
  to: number,
  amount: number,
  slack: number,
  isStuck: Uint8Array,
  best: BlockMove | null,
): BlockMove | null {
  const { width } = work;
  for (let segment = 0; segment < work.segmentCount; segment++) {
    const row = segment * width;
    if (work.partCells[row + from] === 0 || isStuck[(row + from) * width + to] === 1) continue;
    const part = work.part[row + from]!;
    const fits = part <= amount + slack;
    const rank = rankOf(work, segment, from, to, fits);
    if (rank >= 3 && amount <= slack) continue; // not worth opening a split
    if (best !== null && rank > best.rank) continue;
    const gone = (work.part[row + to]! - part) / work.segmentWeight[segment]!;
    const gain = work.blockGain(segment, from, to) + momentum * gone;
    if (best === null || rank < best.rank || gain > best.gain) best = { segment, from, to, amount, rank, gain };
  }
  return best;
}

/** What closes or extends an old split, then what leaves as many pieces as before, then new splits. */
function rankOf(work: EdgeWork, segment: number, from: number, to: number, fits: boolean): number {
  if (isShared(work, segment, from, to)) return fits ? 0 : 1;
  if (fits) return 2;
  return isWhole(work, segment, from) ? 4 : 3;
}

/** The block if it fits, else as much of it as does. */
export function moveBlockPart(
  work: EdgeWork,
  segment: number,
  from: number,
  to: number,
  amount: number,
  slack: number,
): number {
  const part = work.part[segment * work.width + from]!;
  if (part <= amount + slack) return moveBlock(work, segment, from, to);
  return movePart(work, segment, from, to, amount, slack);
}
