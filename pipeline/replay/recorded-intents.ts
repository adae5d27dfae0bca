/** Intents for a replay, from a file: a list of them, what `taiji get intents -o json` prints, or a journal file, whose
 *  epochs say from when to when each was in force, whoever withdrew it. */

import { formatTime } from '../../config/duration.ts';
import { ConfigError } from '../../config/errors.ts';
import { checkIntent, type Intent } from '../../config/intent.ts';
import { parseYaml } from '../../config/yaml.ts';
import { decodeJournal, inputsIn, type JournalRecord } from './journal-record.ts';

/** `isJournal`: the text is a journal file's. Throws a ConfigError that starts with `where`. */
export function intentsIn(text: string, where: string, isJournal: boolean): readonly Intent[] {
  if (isJournal) return intentsOfJournal(decodeJournal(text).records, where);
  const { value } = parseYaml(text, where);
  const list: unknown = Array.isArray(value) ? value : isListing(value) ? value.intents : null;
  if (!Array.isArray(list)) {
    throw new ConfigError(`${where}: no list of intents, expected one, or what taiji get intents -o json prints`);
  }
  const intents = list.map((one: unknown, n) => checkIntent(one, `${where}: intent ${n + 1}`));
  const twice = intents.find(({ id }, n) => intents.findIndex((one) => one.id === id) < n);
  if (twice) throw new ConfigError(`${where}: intent "${twice.id}" is given twice; ids are unique`);
  return intents;
}

function isListing(value: unknown): value is { readonly intents: unknown } {
  return typeof value === 'object' && value !== null && 'intents' in value;
}

interface Stretch {
  readonly intent: Intent;
  readonly sinceMs: number;
  untilMs: number | null; // start of the first epoch without it; null: it was there to the end
}

/** Whoever is in the inputs of an epoch was in force at its start. One withdrawn and handed in again is two. */
function intentsOfJournal(records: readonly JournalRecord[], where: string): readonly Intent[] {
  const stretches: Stretch[] = [];
  let isAny = false;
  for (const record of records) {
    const inputs = inputsIn(record);
    const [first] = inputs;
    if (!first) continue;
    isAny = true;
    const now = new Map(inputs.flatMap(({ intents }) => intents).map((intent) => [JSON.stringify(intent), intent]));
    const open = stretches.filter(({ untilMs }) => untilMs === null);
    for (const one of open) if (!now.has(JSON.stringify(one.intent))) one.untilMs = first.startMs;
    for (const [text, intent] of now) {
      if (open.some((one) => JSON.stringify(one.intent) === text)) continue;
      stretches.push({ intent, sinceMs: first.startMs, untilMs: null });
    }
  }
  if (!isAny) throw new ConfigError(`${where}: no epoch is recorded there, expected a journal file`);
  const seen = new Map<string, number>();
  return stretches.map(({ intent, sinceMs, untilMs }): Intent => {
    const times = (seen.get(intent.id) ?? 0) + 1;
    seen.set(intent.id, times);
    return {
      ...intent,
      id: times === 1 ? intent.id : `${intent.id.slice(0, 60)}.${times}`,
      since: formatTime(sinceMs),
      until: untilMs === null ? intent.until : formatTime(untilMs),
    };
  });
}
