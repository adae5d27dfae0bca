/** YAML (and JSON, its subset) as people write it: the value, and the line each part of it stands on. */

import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { ConfigError } from './errors.ts';

export interface YamlValue {
  readonly value: unknown;
  /** The line, from 1, of what stands at `path`, or of the nearest thing around it that is there. */
  readonly lineOf: (path: readonly PropertyKey[]) => number;
}

/** Throws a ConfigError with file and line where `text` is not one YAML document of plain values. */
export function parseYaml(text: string, where: string): YamlValue {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, uniqueKeys: true });
  const lineAt = (offset: number): number => Math.max(1, counter.linePos(offset).line);
  const error = document.errors[0] ?? document.warnings[0];
  if (error !== undefined) {
    const what =
      error.code === 'MULTIPLE_DOCS' ? 'a second document begins; one file holds one' : oneLine(error.message);
    throw new ConfigError(`${where}:${lineAt(error.pos[0])}: not valid YAML: ${what}`);
  }
  let value: unknown;
  try {
    value = document.toJS();
  } catch (thrown) {
    throw new ConfigError(
      `${where}: not valid YAML: ${oneLine(thrown instanceof Error ? thrown.message : String(thrown))}`,
    );
  }
  const lineOf = (path: readonly PropertyKey[]): number => {
    let node: unknown = document.contents;
    let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    for (const key of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
        if (pair === undefined) break;
        offset = isNode(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
        node = pair.value;
      } else {
        const item = document.getIn([...path.slice(0, path.indexOf(key) + 1)], true);
        if (!isNode(item)) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      }
    }
    return lineAt(offset);
  };
  return { value, lineOf };
}

function oneLine(message: string): string {
  return message.replace(/\s+/g, ' ').trim();
}
