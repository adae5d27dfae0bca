/** Long work in steps, between which others may have a turn: who does the work says where that is, who asked for it says
 *  whether to let them (`pipeline/server/io/in-turns.ts` does). */

export type Steps<T> = Generator<void, T>;

/** Where nobody else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const said = steps.next();
    if (said.done) return said.value;
  }
}
