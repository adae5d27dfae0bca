/** `--intents FILE` of the dry runs: what is in force, by its own times. */

import { Option } from 'commander';
import { ConfigError } from '../../config/errors.ts';
import type { Intent } from '../../config/intent.ts';
import { readText } from '../../config/io/files.ts';
import type { Topology } from '../../config/topology.ts';
import { intentsIn } from '../replay/recorded-intents.ts';

export function intentsOption(): Option {
  return new Option(
    '--intents <file>',
    'intents in force by their times: a YAML or JSON list, what `taiji get intents -o json` prints, or a journal file (.jsonl)',
  );
}

/** None where no file is named. Throws a ConfigError where it is bad, or names places that are not there. */
export function readIntents(file: string | undefined, { edges, datacenters }: Topology): readonly Intent[] {
  if (file === undefined) return [];
  const intents = intentsIn(readText(file), file, /\.jsonl(\.gz)?$/.test(file));
  const known = new Set<string>([...edges, ...datacenters].map(({ id }) => id));
  for (const intent of intents) {
    const places = intent.kind === 'shift' ? [intent.from, intent.to] : [intent.datacenter];
    const unknown = [...places, intent.edge].find((id) => id !== undefined && !known.has(id));
    if (unknown !== undefined) {
      throw new ConfigError(
        `${file}: intent "${intent.id}" names "${unknown}", which is not in the world; mend its name`,
      );
    }
  }
  return intents;
}
