/** Brings friends together and segments back into one piece beyond what the wanted fractions move: a block (what a segment
 *  has on one datacenter at one edge) goes to another datacenter, and others of the same weight come back, so that
 *  fractions stay as they are. Each exchange is made, looked at as a whole, and undone unless the ties won pay for it. Where
 *  a segment has users at several edges, none of its blocks may win by going alone: one that does not pay is followed by
 *  the next until together they do (worth .004 to .006 of all ties on the real week's levelled series, nothing where
 *  edges use few datacenters). Segments none of whose blocks promises anything by itself were tried too: they used the
 *  trials up and lost .01.
 *
 *  What it costs is counted against the table before the epoch: choosing another block for a move that has to be made
 *  anyway costs nothing. Where there is no table before, nothing costs anything. Gains of single buckets were declined:
 *  friends inside a block count as lost until all of it has gone, so communities would never move. */

import type { EdgeWork } from './edge-work.ts';

export interface ExchangeInputs {
  readonly works: readonly EdgeWork[]; // [edge]
  readonly at: readonly number[]; // edges to look at
  readonly edgeLoad: Float64Array; // [edge] share of the service's demand
  readonly aims: readonly Float64Array[]; // [edge][d]
  readonly isOpen: (e: number, d: number) => boolean; // users of the edge may leave the datacenter for others, and come
  readonly homes: readonly Uint8Array[] | null; // [edge][bucket] the table before the epoch
  readonly overMax: Float64Array; // [d] over all edges, relative to what it is wanted to carry
  readonly band: number; // share of an edge's demand a datacenter may be off
  readonly allTies: number; // all ties there are, in the unit of the works
  readonly price: number; // share of all ties that moving the service's whole demand has to win
  readonly allowance: number; // share of the service's demand that may be moved beyond what has to
  readonly hadToMove: number; // before exchanges, which may leave less: share of the service's demand
  readonly allowanceMax: (hasToMove: number) => number; // in the end
  readonly room: number; // and that may be moved at all: by an exchange others may have to, too
  readonly trialsMax: number;
  readonly edgesMax: number; // at which blocks of one segment may go together
}

export interface Exchanged {
  readonly spent: number; // of the allowance
  readonly kept: number; // attempts, each of one or more exchanges
  readonly trials: number; // exchanges tried
}

/** What it is worth to close a split, in ties of an average block. */
const splitWorth = 0.2;

/** Sums of shares blur in the last bits. */
const residue = 1e-12;

export function exchangeBlocks(inputs: ExchangeInputs): Exchanged {
  const { works } = inputs;
  const candidates: Candidate[] = [];
  for (const e of inputs.at) collect(inputs, works[e]!, candidates);
  candidates.sort((a, b) => b.score - a.score || a.e - b.e || a.segment - b.segment || a.from - b.from || a.to - b.to);
  const overall = new Overall(inputs);
  let spent = 0;
  let moved = 0;
  let hasToMove = inputs.hadToMove;
  let kept = 0;
  let trials = 0;
  for (const candidate of candidates) {
    if (trials >= inputs.trialsMax) break;
    const { from, to } = candidate;
    const left = Math.max(0, inputs.allowance - spent);
    const room = Math.max(0, inputs.room - moved);
    const attempt = new Attempt(inputs, candidate);
    const fits = (): boolean =>
      attempt.cost <= left &&
      attempt.moved <= room &&
      spent + attempt.cost <= inputs.allowanceMax(hasToMove + attempt.hasToMove) &&
      overall.allows(from, to, attempt.unreturned);
    let isDone = attempt.exchangeAt(candidate.e);
    while (isDone && fits() && !attempt.pays) isDone = attempt.exchangeAt(attempt.follower());
    trials += attempt.edges.length;
    if (isDone && fits()) {
      overall.shift(from, to, attempt.unreturned);
      spent += attempt.cost;
      moved += attempt.moved;
      hasToMove += attempt.hasToMove;
      kept += 1;
    } else {
      attempt.undo();
    }
  }
  return { spent, kept, trials };
}

/** Exchanges of the blocks that one segment has on a datacenter, edge after edge. */
class Attempt {
  readonly edges: number[] = [];
  cost = 0; // share of the service's demand
  moved = 0; // share of the service's demand, net of what came home
  unreturned = 0; // share of the service's demand
  readonly #inputs: ExchangeInputs;
  readonly #candidate: Candidate;
  readonly #exchanges: Exchange[] = [];
  #ties = 0;

  constructor(inputs: ExchangeInputs, candidate: Candidate) {
    this.#inputs = inputs;
    this.#candidate = candidate;
  }

  get pays(): boolean {
    const worth = this.#ties / this.#inputs.allTies;
    return worth > residue && worth >= this.#inputs.price * this.cost;
  }

  /** What has to move by it, or no longer has to: below 0. Share of the service's demand. */
  get hasToMove(): number {
    return this.moved - this.cost;
  }

  /** False where there is no edge or its loads cannot be kept. */
  exchangeAt(e: number | undefined): boolean {
    const { works, homes, edgeLoad, aims, band } = this.#inputs;
    if (e === undefined) return false;
    const exchange = new Exchange(works[e]!, homes?.[e] ?? null, termsAt(this.#inputs, works[e]!));
    this.#exchanges.push(exchange);
    this.edges.push(e);
    const isBalanced = exchange.run(this.#candidate, aims[e]!, band);
    this.cost += exchange.excess * edgeLoad[e]!;
    this.moved += exchange.moved * edgeLoad[e]!;
    this.unreturned += exchange.unreturned * edgeLoad[e]!;
    this.#ties += exchange.worth;
    return isBalanced;
  }

  /** The edge whose block wins most by following those that went. */
  follower(): number | undefined {
    const { works, aims, isOpen, edgesMax } = this.#inputs;
    const { segment, from, to } = this.#candidate;
    if (this.edges.length >= edgesMax) return undefined;
    let best: number | undefined;
    let bestGain = 0;
    for (const [e, work] of works.entries()) {
      if (this.edges.includes(e) || work.partCells[segment * work.width + from] === 0) continue;
      if (!isOpen(e, from) || !isOpen(e, to) || aims[e]![to] === 0 || work.cellsOn[to] === 0) continue;
      const ties = work.blockTiesNow(segment, from);
      const gain = ties[to]! - ties[from]!;
      if (gain <= bestGain) continue;
      best = e;
      bestGain = gain;
    }
    return best;
  }

  undo(): void {
    for (const exchange of this.#exchanges.reverse()) exchange.undo();
  }
}

/** What things are worth at an edge, in ties. */
interface Terms {
  readonly split: number; // a split closed
  readonly weight: number; // a unit of the edge's demand moved
}

function termsAt({ allTies, works, price, edgeLoad }: ExchangeInputs, work: EdgeWork): Terms {
  return {
    split: (splitWorth * allTies) / (works.length * work.segmentCount),
    weight: price * allTies * edgeLoad[work.e]!,
  };
}

/** How far datacenters are off over all edges, shares of the service's demand. */
class Overall {
  readonly #off: Float64Array;
  readonly #overMax: Float64Array;

  constructor({ works, edgeLoad, aims, overMax }: ExchangeInputs) {
    const width = works[0]?.width ?? 0;
    this.#off = new Float64Array(width);
    this.#overMax = new Float64Array(width);
    for (const [e, { load }] of works.entries()) {
      for (let d = 0; d < width; d++) {
        this.#off[d]! += edgeLoad[e]! * (load[d]! - aims[e]![d]!);
        this.#overMax[d]! += (edgeLoad[e]! * aims[e]![d]! * overMax[d]!) / 2; // beyond half of it they are evened out
      }
    }
  }

  allows(from: number, to: number, amount: number): boolean {
    const gains = amount > 0 ? to : from;
    return this.#off[gains]! + Math.abs(amount) <= this.#overMax[gains]!;
  }

  shift(from: number, to: number, amount: number): void {
    this.#off[from]! -= amount;
    this.#off[to]! += amount;
  }
}

interface Candidate {
  readonly e: number;
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  readonly score: number; // guessed ties per unit of the service's demand
}

/** A block goes where its friends are, and the best there is comes back for it: those are tried that promise a gain. */
function collect(inputs: ExchangeInputs, work: EdgeWork, candidates: Candidate[]): void {
  const { e, width } = work;
  const load = inputs.edgeLoad[e]!;
  const aim = inputs.aims[e]!;
  if (load === 0) return;
  const open: number[] = [];
  for (let d = 0; d < width; d++) if (inputs.isOpen(e, d) && aim[d]! > 0 && work.cellsOn[d]! > 0) open.push(d);
  if (open.length < 2) return;
  work.look();
  const terms = termsAt(inputs, work);
  const home = inputs.homes?.[e] ?? null;
  const best = new Float64Array(width * width).fill(Number.NEGATIVE_INFINITY); // [l * D + g] densest
  const blocks: { readonly segment: number; readonly from: number; readonly densities: Float64Array }[] = [];
  for (let segment = 0; segment < work.segmentCount; segment++) {
    for (const from of open) {
      if (work.partCells[segment * width + from] === 0) continue;
      const densities = densitiesOf(work, segment, from, home, terms);
      blocks.push({ segment, from, densities });
      for (const to of open) {
        if (densities[to]! > best[from * width + to]!) best[from * width + to] = densities[to]!;
      }
    }
  }
  for (const { segment, from, densities } of blocks) {
    for (const to of open) {
      const score = (densities[to]! + best[to * width + from]!) / load;
      if (to !== from && score > 0) candidates.push({ e, segment, from, to, score });
    }
  }
}

/** [d] what the block wins by going there, in ties less what its move costs, for each unit of its weight. */
function densitiesOf(
  work: EdgeWork,
  segment: number,
  from: number,
  home: Uint8Array | null,
  terms: Terms,
): Float64Array {
  const { width } = work;
  const row = segment * width;
  const ties = work.blockTies(segment, from);
  const part = work.part[row + from]!;
  const homes = home && work.partsOf(segment, from, home);
  const densities = new Float64Array(width);
  for (let to = 0; to < width; to++) {
    const closes = work.partCells[row + to]! > 0 ? terms.split : 0;
    const costs = homes === null ? 0 : terms.weight * (homes[from]! - homes[to]!);
    densities[to] = (ties[to]! - ties[from]! + closes - costs) / part;
  }
  return densities;
}

/** One exchange, with a journal to undo it by. */
class Exchange {
  readonly #work: EdgeWork;
  readonly #home: Uint8Array | null;
  readonly #terms: Terms;
  readonly #leastBefore: number;
  readonly #moves: { readonly i: number; readonly from: number }[] = [];
  readonly #piecesBefore = new Map<number, number>(); // [segment]
  #ties = 0;
  #moved = 0; // net of what came home
  #gone = 0;
  #returned = 0;

  constructor(work: EdgeWork, home: Uint8Array | null, terms: Terms) {
    this.#work = work;
    this.#home = home;
    this.#terms = terms;
    this.#leastBefore = work.leastMoved();
  }

  /** In ties. */
  get worth(): number {
    let closed = 0;
    for (const [segment, before] of this.#piecesBefore) closed += before - this.#work.pieces(segment);
    return this.#ties + closed * this.#terms.split;
  }

  /** Further from the table before than it was, share of the edge's demand. */
  get moved(): number {
    return this.#home ? this.#moved : 0;
  }

  /** Moved beyond what the change of the loads since the epoch began asks for, share of the edge's demand. */
  get excess(): number {
    return this.#home ? this.#moved - (this.#work.leastMoved() - this.#leastBefore) : 0;
  }

  /** Share of the edge's demand. */
  get unreturned(): number {
    return this.#gone - this.#returned;
  }

  /** False where it cannot be balanced: either would end further off its aim than before and than the band. */
  run({ segment, from, to }: Candidate, aim: Float64Array, band: number): boolean {
    const work = this.#work;
    const part = work.part[segment * work.width + from]!;
    if (work.partCells[segment * work.width + from] === 0) return false; // an earlier one took it
    const offFrom = work.load[from]! - aim[from]!;
    const offTo = work.load[to]! - aim[to]!;
    const mostFrom = Math.max(Math.abs(offFrom), band);
    const mostTo = Math.max(Math.abs(offTo), band);
    const most = Math.min(offFrom + mostFrom, mostTo - offTo);
    const least = Math.max(offFrom - mostFrom, -mostTo - offTo);
    this.#gone = this.#moveBlock(segment, from, to);
    this.#bringBack(segment, to, from, part - most, part - least);
    return this.unreturned <= most + residue && this.unreturned >= least - residue;
  }

  undo(): void {
    for (const { i, from } of this.#moves.reverse()) this.#work.moveCell(i, from);
  }

  /** At least `least` and at most `most` of `from`, best blocks first; the last one may be a part. */
  #bringBack(except: number, from: number, to: number, least: number, most: number): void {
    const work = this.#work;
    const blocks: { segment: number; density: number }[] = [];
    for (let segment = 0; segment < work.segmentCount; segment++) {
      if (segment === except || work.partCells[segment * work.width + from] === 0) continue;
      const density = densitiesOf(work, segment, from, this.#home, this.#terms)[to]!;
      blocks.push({ segment, density });
    }
    blocks.sort((a, b) => b.density - a.density || a.segment - b.segment);
    for (const { segment } of blocks) {
      if (this.#returned >= least) return;
      const part = work.part[segment * work.width + from]!;
      if (this.#returned + part <= most) this.#returned += this.#moveBlock(segment, from, to);
    }
    for (const { segment } of blocks) {
      if (this.#returned >= least) return;
      this.#returnPart(segment, from, to, least, most);
    }
  }

  #returnPart(segment: number, from: number, to: number, least: number, most: number): void {
    const { weight } = this.#work.cells;
    const cells = this.#work
      .cellsOf(segment, from)
      .map((i) => ({ i, density: this.#work.cellTies(i, to) / weight[i]! }));
    cells.sort((a, b) => b.density - a.density || a.i - b.i);
    for (const { i } of cells) {
      if (this.#returned >= least) return;
      if (this.#returned + weight[i]! > most) continue;
      this.#move(i, segment, to);
      this.#returned += weight[i]!;
    }
  }

  #moveBlock(segment: number, from: number, to: number): number {
    let weight = 0;
    for (const i of this.#work.cellsOf(segment, from)) {
      this.#move(i, segment, to);
      weight += this.#work.cells.weight[i]!;
    }
    return weight;
  }

  #move(i: number, segment: number, to: number): void {
    const work = this.#work;
    if (!this.#piecesBefore.has(segment)) this.#piecesBefore.set(segment, work.pieces(segment));
    const bucket = work.cells.bucket[i]!;
    const from = work.assignment[bucket]!;
    const home = this.#home?.[bucket];
    this.#ties += work.cellTies(i, to);
    if (home === from) this.#moved += work.cells.weight[i]!;
    else if (home === to) this.#moved -= work.cells.weight[i]!;
    this.#moves.push({ i, from });
    work.moveCell(i, to);
  }
}
