/** What is left of a control plane that was killed: its data directory. */

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { decodeJournal } from '../../pipeline/replay/journal-record.ts';
import { journalFiles } from '../../pipeline/server/io/journal.ts';
import { replayJournal } from '../../pipeline/server/io/recorded-file.ts';

/** Whoever was killed cannot give its lock back; nobody else is here to wait for. */
export function unlock(directory: string): void {
  rmSync(join(directory, 'lock'), { recursive: true, force: true });
}

export async function expectJournalsReplay(directory: string, where: string): Promise<void> {
  for (const path of await journalFiles(join(directory, 'journal'))) {
    const { records } = decodeJournal(readFileSync(path, 'utf8'));
    if (records.length > 0) expect((await replayJournal(path)).difference, where).toBe(null);
  }
}
