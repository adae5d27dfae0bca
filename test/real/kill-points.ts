/** Every write of a process, numbered as it comes, and the process killed with -9 before any one of them. What a machine
 *  that loses power loses besides is done to the disk, too: before the fsync of a file half of it is gone, and before that
 *  of a directory the last rename in it never was.
 *
 *  It is loaded before the program (`node --import`), so that the program knows nothing of it and has no switch for it. */

/** In the environment of the process: the number of the write before which it dies; 0: none, and the writes are listed
 *  on stderr. */
export const killAtVariable = 'TAIJI_TEST_KILL_AT';

export interface Write {
  readonly number: number; // from 1
  readonly what: string; // `sync store/services/web/head.value`
}

/** Those listed on stderr. */
export function writesOf(stderr: string): readonly Write[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('{"msg":"write"'))
    .map((line) => JSON.parse(line));
}

/** What `node --import` loads. Only writes below these directories of a data directory count. */
export const killPoints = `data:text/javascript,${encodeURIComponent(`
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env.${killAtVariable});
const counted = /[\\\\/]((?:store|journal|objects|incoming)(?:[\\\\/].*)?)$/;
let writes = 0;
let undo = () => {}; // the last rename

function before(what, path, lose) {
  const within = counted.exec(String(path))?.[1];
  if (within === undefined) return;
  writes += 1;
  if (killAt === 0) fs.writeSync(2, JSON.stringify({ msg: 'write', number: writes, what: what + ' ' + within }) + '\\n');
  if (writes !== killAt) return;
  lose?.();
  process.kill(process.pid, 'SIGKILL');
  for (;;) {} // nothing more happens here
}

const { open, rename, rm } = fs.promises;
fs.promises.open = async (path, flags = 'r', ...more) => {
  const writes = flags !== 'r';
  if (writes) before('open', path);
  const handle = await open(path, flags, ...more);
  const { writeFile, sync } = handle;
  handle.writeFile = async (...given) => {
    before('write', path);
    return writeFile.apply(handle, given);
  };
  handle.sync = async () => {
    before('sync', path, () => {
      if (writes) fs.truncateSync(path, Math.floor(fs.statSync(path).size / 2));
      else undo();
    });
    return sync.apply(handle);
  };
  return handle;
};
fs.promises.rename = async (from, to) => {
  before('rename', to);
  const old = fs.existsSync(to) ? fs.readFileSync(to) : null;
  await rename(from, to);
  undo = () => (old ? fs.writeFileSync(to, old) : fs.rmSync(to));
};
fs.promises.rm = async (path, ...more) => {
  before('rm', path);
  undo = () => {};
  return rm(path, ...more);
};
syncBuiltinESMExports();
`)}`;
