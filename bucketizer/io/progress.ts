/** A progress bar on stderr, only where a person watches it and only once the work has taken a second. */

import { Presets, SingleBar } from 'cli-progress';

const patienceMs = 1000;

export interface ProgressBar {
  show(stage: string, done: number, total: number): void;
  stop(): void;
}

export function progressBar(stream: NodeJS.WriteStream = process.stderr): ProgressBar {
  if (!stream.isTTY) return { show: () => {}, stop: () => {} };
  const startedMs = Date.now();
  let bar: SingleBar | null = null;
  return {
    show(stage, done, total) {
      if (bar === null) {
        if (Date.now() - startedMs < patienceMs) return;
        const format = '{stage} [{bar}] {percentage} %';
        bar = new SingleBar({ stream, format, hideCursor: true, clearOnComplete: true }, Presets.legacy);
        bar.start(total, done, { stage });
      }
      bar.setTotal(total);
      bar.update(done, { stage });
    },
    stop() {
      bar?.stop();
      bar = null;
    },
  };
}
