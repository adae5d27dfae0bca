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
  await eachByteLineOf(
    source,
    (bytes, start, end, number) => onLine(textOfLine(bytes, start, end, number, source.name), number),
    onRead,
  );
}

/** As `eachLineOf`, for those who can do without a string a line: the line is `bytes[start .. end)`, until the next. */
export async function eachByteLineOf(
  source: ByteSource,
  onLine: (bytes: Buffer, start: number, end: number, number: number) => void,
  onRead: (bytes: number, of: number) => void = () => {},
): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let number = 0;
  try {
    for await (const chunk of source.chunks) {
      const bytes = Buffer.concat([rest, chunk]);
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        onLine(bytes, start, end > start && bytes[end - 1] === 13 ? end - 1 : end, ++number);
        start = end + 1;
      }
      rest = bytes.subarray(start);
      onRead(source.bytesRead(), source.bytes);
    }
    if (rest.length > 0) onLine(rest, 0, rest.length, ++number);
  } catch (error) {
    throw readError(error, source.name, `line ${number}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const byteOrderMark = '\ufeff';

/** Throws a ConfigError where it is not UTF-8. The byte order mark a text may begin with is left out. */
export function textOfLine(bytes: Buffer, start: number, end: number, number: number, name: string): string {
  let text: string;
  try {
    text = utf8.decode(bytes.subarray(start, end));
  } catch {
    throw new ConfigError(`${name}: not UTF-8 text after line ${number - 1}; expected UTF-8, plain or gzip`);
  }
  return number === 1 && text.startsWith(byteOrderMark) ? text.slice(1) : text;
}
