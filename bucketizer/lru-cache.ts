/** A cache of a fixed number of items that forgets the one not used for longest: which items it holds, nothing else. A
 *  ring of links in typed arrays, exact, every request in constant time. */

export class LruCache {
  misses = 0;
  private readonly size: number;
  private readonly next: Int32Array; // [item + 1] towards the longest unused; 0 is both ends
  private readonly previous: Int32Array;
  private readonly holds: Uint8Array;
  private held = 0;

  /** Items are 0 .. `items` - 1. */
  constructor(size: number, items: number) {
    this.size = size;
    this.next = new Int32Array(items + 1);
    this.previous = new Int32Array(items + 1);
    this.holds = new Uint8Array(items + 1);
  }

  request(item: number): void {
    const at = item + 1;
    if (this.holds[at] === 1) {
      this.unlink(at);
    } else {
      this.misses++;
      if (this.size === 0) return;
      if (this.held === this.size) {
        const oldest = this.previous[0]!;
        this.unlink(oldest);
        this.holds[oldest] = 0;
      } else {
        this.held++;
      }
      this.holds[at] = 1;
    }
    const newest = this.next[0]!;
    this.next[at] = newest;
    this.previous[newest] = at;
    this.next[0] = at;
    this.previous[at] = 0;
  }

  private unlink(at: number): void {
    this.next[this.previous[at]!] = this.next[at]!;
    this.previous[this.next[at]!] = this.previous[at]!;
  }
}
