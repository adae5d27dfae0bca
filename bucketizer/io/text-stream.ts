/** A text file as a stream of its lines, never whole in memory. A line that is no text is handed on with what is wrong with
 *  it, so that whoever skips bad lines can skip it; so is one that is longer than a line can be, of which little is held. */

import { Buffer } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { ConfigError } from '../../config/errors.ts';
import { type ByteSource, openBytes, readError } from './byte-source.ts';

const lineBytesMax = 1 << 20;

/** `line`: without its end; `number`: from 1. `wrong`: why it is no line of text, of which `line` shows what it can. */
export type OnLine = (line: string, number: number, wrong: string | null) => void;

/** Calls `onLine` with every line; the last one may lack its end. Throws a ConfigError naming the file where it cannot be
 *  read or is cut, and the line where one is no text. */
export async function eachLine(path: string, onLine: (line: string) => void): Promise<void> {
  const source = await openBytes(path);
  try {
    await eachLineOf(source, (line, number, wrong) => {
      if (wrong !== null) throw new ConfigError(`${source.name}:${number}: ${wrong}`);
      onLine(line);
    });
  } finally {
    source.close();
  }
}

/** As `eachLine`, of bytes that are open already. */
export async function eachLineOf(
  source: ByteSource,
  onLine: OnLine,
  onRead: (bytes: number, of: number) => void = () => {},
  bytesMax = lineBytesMax,
): Promise<void> {
  await eachLineBut(source, (_, start) => ({ lines: 0, next: start }), onLine, onRead, bytesMax);
}

/** As `eachLineOf`, for those who understand most lines as bytes: `takeLines` may take some of the whole lines
 *  `bytes[start .. end)`, and says how many and where the `next` one begins. A line becomes a string where it takes none. */
export async function eachLineBut(
  source: ByteSource,
  takeLines: (bytes: Buffer, start: number, end: number) => { readonly lines: number; readonly next: number },
  onLine: OnLine,
  onRead: (bytes: number, of: number) => void,
  bytesMax = lineBytesMax,
): Promise<void> {
  let number = 0;
  try {
    for await (const bytes of wholeLines(source.chunks, bytesMax)) {
      const whole = bytes[bytes.length - 1] === lineFeed;
      let start = 0;
      if (endOfLine(bytes, 0) > bytesMax) {
        onLine(bytes.toString('utf8', 0, 80), ++number, `the line is longer than ${bytesMax / (1 << 20)} MiB`);
        start = endOfLine(bytes, 0) + 1;
      }
      while (start < bytes.length) {
        if (whole) {
          const { lines, next } = takeLines(bytes, start, bytes.length);
          number += lines;
          start = next;
          if (lines > 0) continue;
        }
        const end = endOfLine(bytes, start);
        const shown = end > start && bytes[end - 1] === carriageReturn ? end - 1 : end;
        tellLine(bytes.subarray(start, shown), ++number, onLine);
        start = end + 1;
      }
      onRead(source.bytesRead(), source.bytes);
    }
  } catch (error) {
    throw readError(error, source.name, `line ${number}`);
  }
}

const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** Bytes that end where a line does, but for the last of all. Pieces of a line are joined once, for it may come in many.
 *  Only the first line of what is given can be longer than `bytesMax`: then it is cut, and all that is given. */
async function* wholeLines(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = [];
  let held = 0; // bytes of them
  let cut = false; // the end of a line that is too long is still to come
  for await (const chunk of chunks) {
    const start = cut ? chunk.indexOf(lineFeed) + 1 : 0;
    if (cut && start === 0) continue;
    cut = false;
    const end = Math.max(start, chunk.lastIndexOf(lineFeed) + 1);
    if (end > start) {
      yield Buffer.concat([...pieces, chunk.subarray(start, end)]);
      pieces = [];
      held = 0;
    }
    pieces.push(chunk.subarray(end));
    held += chunk.length - end;
    if (held <= bytesMax) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    held = 0;
    cut = true;
  }
  if (held > 0) yield Buffer.concat(pieces);
}

function endOfLine(bytes: Buffer, start: number): number {
  const end = bytes.indexOf(lineFeed, start);
  return end < 0 ? bytes.length : end;
}

const byteOrderMark = '\ufeff';

/** The byte order mark a text may begin with is left out. */
function tellLine(bytes: Buffer, number: number, onLine: OnLine): void {
  const text = textOf(bytes);
  const line = text ?? bytes.toString();
  const zero = text?.includes('\0') ? 'a zero byte in the line, expected text' : null;
  const wrong = text === null ? 'not UTF-8 text, expected UTF-8, plain or gzip' : zero;
  onLine(number === 1 && line.startsWith(byteOrderMark) ? line.slice(1) : line, number, wrong);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null where they are not UTF-8: letters put in their place would make one id of many. */
export function textOf(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
