/** A text file as a stream of its lines, never whole in memory. */

import { Buffer } from 'node:buffer';
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
  await eachLineBut(source, (_, start) => ({ lines: 0, next: start }), onLine, onRead);
}

/** As `eachLineOf`, for those who understand most lines as bytes: `takeLines` may take some of the whole lines
 *  `bytes[start .. end)`, and says how many and where the `next` one begins. A line becomes a string where it takes none. */
export async function eachLineBut(
  source: ByteSource,
  takeLines: (bytes: Buffer, start: number, end: number) => { readonly lines: number; readonly next: number },
  onLine: (line: string, number: number) => void,
  onRead: (bytes: number, of: number) => void,
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  try {
    for await (const chunk of source.chunks) {
      const bytes = Buffer.concat([rest, chunk]);
      const end = bytes.lastIndexOf(10) + 1;
      for (let start = 0; start < end; ) {
        const { lines, next } = takeLines(bytes, start, end);
        number += lines;
        start = next;
        if (lines > 0) continue;
        const lineEnd = bytes.indexOf(10, start);
        const shown = lineEnd > start && bytes[lineEnd - 1] === 13 ? lineEnd - 1 : lineEnd;
        onLine(textOfLine(bytes, start, shown, ++number, source.name), number);
        start = lineEnd + 1;
      }
      rest = bytes.subarray(end);
      onRead(source.bytesRead(), source.bytes);
    }
    if (rest.length > 0) onLine(textOfLine(rest, 0, rest.length, ++number, source.name), number);
  } catch (error) {
    throw readError(error, source.name, `line ${number}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const byteOrderMark = '\ufeff';

/** Throws a ConfigError where it is not UTF-8. The byte order mark a text may begin with is left out. */
function textOfLine(bytes: Buffer, start: number, end: number, number: number, name: string): string {
  let text: string;
  try {
    text = utf8.decode(bytes.subarray(start, end));
  } catch {
    throw new ConfigError(`${name}: not UTF-8 text after line ${number - 1}; expected UTF-8, plain or gzip`);
  }
  return number === 1 && text.startsWith(byteOrderMark) ? text.slice(1) : text;
}
