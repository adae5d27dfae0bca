/** A text file as a stream of its lines, never whole in memory. */

import { TextDecoder } from 'node:util';
import { ConfigError } from '../../config/errors.ts';
import { type ByteSource, openBytes, readError } from './byte-source.ts';

/** Calls `onLine` with every line, without its end, and its number from 1; the last line may lack its end.
 *  Throws a ConfigError naming the file where it cannot be read, is cut, or is not UTF-8. */
export async function eachLine(path: string, onLine: (line: string, number: number) => void): Promise<void> {
  const source = await openBytes(path);
  try {
    await eachLineOf(source, onLine);
  } finally {
    source.close();
  }
}

/** As `eachLine`, of bytes that are open already. */
export async function eachLineOf(
  source: ByteSource,
  onLine: (line: string, number: number) => void,
  onRead: (bytes: number, of: number) => void = () => {},
): Promise<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true }); // drops a byte order mark
  let rest = '';
  let number = 0;
  try {
    for await (const chunk of source.chunks) {
      rest = emitLines(rest + decode(decoder, chunk, source.name, number), (line) => onLine(line, ++number));
      onRead(source.bytesRead(), source.bytes);
    }
    rest += decode(decoder, undefined, source.name, number);
    if (rest !== '') onLine(rest, ++number);
  } catch (error) {
    throw readError(error, source.name, `line ${number}`);
  }
}

function decode(decoder: TextDecoder, chunk: Uint8Array | undefined, name: string, number: number): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new ConfigError(`${name}: not UTF-8 text after line ${number}; expected UTF-8, plain or gzip`);
  }
}

/** Emits the whole lines of `text`; returns the piece after the last line end. */
function emitLines(text: string, emit: (line: string) => void): string {
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    emit(text.slice(start, end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end));
    start = end + 1;
  }
  return text.slice(start);
}
