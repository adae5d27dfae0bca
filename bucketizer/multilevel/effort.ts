/** How much a bisection goes to. */

export class BisectEffort {
  readonly coarsestNodes: i32; // stop coarsening here
  readonly shrinkPerRound: f64; // clusters of at most this many mean nodes
  readonly tries: i32; // starts on the coarsest graph; more where it is all there is
  readonly passes: i32;
  readonly labelRounds: i32; // of every coarsening
  readonly byDensity: boolean; // what labels go by: weight of ties for the size and the ties of a cluster, or their weight alone
  readonly startTies: f64; // of the graph that starts are made on, all starts together; 0: one start, from the coarsest
  readonly startsMax: i32;
  readonly settles: boolean; // starts end where two find the same, or two in a row nothing better
  readonly cycles: i32; // coarsened once more within its sides, and improved again at every size

  constructor(
    coarsestNodes: i32,
    shrinkPerRound: f64,
    tries: i32,
    passes: i32,
    labelRounds: i32,
    byDensity: boolean,
    startTies: f64,
    startsMax: i32,
    settles: boolean,
    cycles: i32,
  ) {
    this.coarsestNodes = coarsestNodes;
    this.shrinkPerRound = shrinkPerRound;
    this.tries = tries;
    this.passes = passes;
    this.labelRounds = labelRounds;
    this.byDensity = byDensity;
    this.startTies = startTies;
    this.startsMax = startsMax;
    this.settles = settles;
    this.cycles = cycles;
  }
}
