/** A progress bar on stderr with stage and time left, only where a person watches it and only once the work has taken a second. */

import type { SingleBar } from 'cli-progress';

const patienceMs = 1000;

export interface ProgressBar {
  /** `detail`: follows the name of the stage. Time left is of this stage, at its pace so far. */
  show(stage: string, done: number, total: number, detail?: string): void;
  stop(): void;
}

export async function progressBar(stream: NodeJS.WriteStream = process.stderr): Promise<ProgressBar> {
  if (!stream.isTTY) return { show: () => {}, stop: () => {} };
  const { default: progress } = await import('cli-progress');
  const startedMs = Date.now();
  let bar: SingleBar | null = null;
  let begun = { stage: '', atMs: startedMs, done: 0 };
  return {
    show(stage, done, total, detail = '') {
      if (begun.stage !== stage) begun = { stage, atMs: Date.now(), done };
      if (bar === null) {
        if (Date.now() - startedMs < patienceMs) return;
        const format = '{stage}{detail} [{bar}] {percentage} %{left}';
        bar = new progress.SingleBar(
          { stream, format, linewrap: true, clearOnComplete: true }, // no state of the terminal that Ctrl-C would leave behind
          progress.Presets.legacy,
        );
        bar.start(total, done, { stage, detail, left: '' });
      }
      bar.setTotal(total);
      bar.update(done, { stage, detail, left: timeLeft(Date.now() - begun.atMs, done - begun.done, total - done) });
    },
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
