/** A progress bar on stderr with stage and time left, only where a person watches it and only where the work takes over a
 *  second: once it has, or as soon as its pace or its size says that it will. */

import type { SingleBar } from 'cli-progress';

const patienceMs = 1000;

/** Before that much of a stage nobody can tell its pace, and one that promises so much is believed: first pieces are slow. */
const paceMs = 100;
const promisedMs = 3 * patienceMs;

export interface ProgressBar {
  /** `total` NaN: nobody knows. `detail`: follows the name of the stage. Time left is of this stage, at its pace so far. */
  show(stage: string, done: number, total: number, detail?: string): void;
  /** Of work that says nothing until it is done; `long`: it takes over a second. */
  announce(stage: string, long: boolean): void;
  stop(): void;
}

export async function progressBar(stream: NodeJS.WriteStream = process.stderr): Promise<ProgressBar> {
  if (!stream.isTTY) return { show: () => {}, announce: () => {}, stop: () => {} };
  const { default: progress } = await import('cli-progress');
  const startedMs = Date.now();
  let bar: SingleBar | null = null;
  let begun = { stage: '', atMs: startedMs, done: 0 };
  const draw = (stage: string, done: number, total: number, detail: string, long: boolean): void => {
    const isNew = begun.stage !== stage;
    if (isNew) begun = { stage, atMs: Date.now(), done };
    const passedMs = Date.now() - begun.atMs;
    const goesOn = passedMs >= paceMs && (passedMs / (done - begun.done)) * (total - done) >= promisedMs;
    if (bar === null && !long && !goesOn && Date.now() - startedMs < patienceMs) return;
    const isKnown = !Number.isNaN(total);
    const left = isKnown ? timeLeft(passedMs, done - begun.done, total - done) : '';
    const words = { stage, detail, left, isKnown };
    const [shown, of] = isKnown ? [done, total] : [0, 1];
    if (bar === null || isNew) {
      bar?.stop(); // a bar draws at once only where it starts: work that nothing interrupts would go by the stage before
      bar = new progress.SingleBar(
        // no state of the terminal that Ctrl-C would leave behind
        {
          stream,
          linewrap: true,
          clearOnComplete: true,
          format: (options, { progress: share }, { stage, detail, left, isKnown }) =>
            isKnown
              ? `${stage}${detail} [${progress.Format.BarFormat(share, options)}] ${Math.floor(100 * share)} %${left}`
              : `${stage}${detail}`,
        },
        progress.Presets.legacy,
      );
      bar.start(of, shown, words);
    }
    bar.setTotal(of);
    bar.update(shown, words);
  };
  return {
    show: (stage, done, total, detail = '') => draw(stage, done, total, detail, false),
    announce: (stage, long) => draw(stage, 0, Number.NaN, '', long),
    stop() {
      bar?.stop();
      bar = null;
    },
  };
}

/** `passedMs`: since the stage began, in which `done` was done. Empty where nobody can tell. */
export function timeLeft(passedMs: number, done: number, left: number): string {
  if (done <= 0 || left <= 0) return '';
  const seconds = Math.ceil((passedMs / done) * (left / 1000));
  return seconds < 60 ? `, ${seconds} s left` : `, ${Math.ceil(seconds / 60)} min left`;
}
