/** HAProxy: the answer to `show stat` or to `show servers state`, with the weights that are in force, or `server` lines of its
 *  configuration. Servers that somebody has taken out (maintenance, drain, `disabled`) weigh 0, and so do backups, of which
 *  `show servers state` does not tell; one that is down, or whose name is not resolved, weighs what it would: it is not out
 *  for good. */

import { csvRows } from '../../config/csv.ts';
import { ConfigError } from '../../config/errors.ts';
import { oneOf } from './one-of.ts';

type Backends = Map<string, Map<string, number>>;

const isStat = (text: string): boolean => /^\s*#\s*pxname,/.test(text);
const isState = (text: string): boolean => /^\s*\d+\s*\n#\s*be_id\s/.test(text);

export function isHaproxy(text: string): boolean {
  return isStat(text) || isState(text) || /^\s*server\s+\S+\s+\S+/m.test(text);
}

export function haproxyWeights(text: string, cluster: string | null, where: string): ReadonlyMap<string, number> {
  const read = isStat(text) ? ofStat : isState(text) ? ofState : ofConfiguration;
  return oneOf(read(text, where), cluster, 'backend', where);
}

function ofStat(text: string, where: string): Backends {
  const [head, ...rows] = csvRows(text.replace(/^\s*#\s*/, ''), where);
  const asked = ['pxname', 'svname', 'type', 'status', 'bck', 'uweight']; // `weight` is lower while a server starts
  const columns = columnsOf(head!.fields, asked, 'show stat', `${where}:${head!.line}`);
  const backends: Backends = new Map();
  for (const { line, fields } of rows) {
    const [backend = '', server = '', type, status = '', backup, weight] = columns.map((column) => fields[column]);
    if (type !== serverType) continue;
    const isOut = backup !== '0' || (/^(MAINT|DRAIN)/.test(status) && status !== 'MAINT (resolution)');
    put(backends, { backend, server, weight: isOut ? 0 : Number(weight) }, `${where}:${line}`);
  }
  return backends;
}

const serverType = '2'; // others are frontends, backends and listeners

/** Bits of `srv_admin_state`: put into maintenance or drained, itself or with the one it follows. Of the others, 0x04 (disabled
 *  in the configuration) stays when it is made ready, and 0x20 is a name that is not resolved. */
const takenOut = 0x01 | 0x02 | 0x08 | 0x10;

function ofState(text: string, where: string): Backends {
  const lines = text.split(/\r?\n/);
  const head = lines.findIndex((line) => line.startsWith('#'));
  const names = lines[head]!.replace(/^#\s*/, '').trim().split(/\s+/);
  const asked = ['be_name', 'srv_name', 'srv_admin_state', 'srv_uweight'];
  const columns = columnsOf(names, asked, 'show servers state', `${where}:${head + 1}`);
  const backends: Backends = new Map();
  lines.forEach((line, i) => {
    if (i <= head || line.trim() === '' || line.startsWith('#')) return;
    const fields = line.trim().split(/\s+/);
    const [backend = '', server = '', admin = '', weight = ''] = columns.map((column) => fields[column]);
    const isOut = (Number(admin) & takenOut) !== 0;
    put(backends, { backend, server, weight: isOut ? 0 : Number(weight) }, `${where}:${i + 1}`);
  });
  return backends;
}

function ofConfiguration(text: string, where: string): Backends {
  const backends: Backends = new Map();
  let backend: string | null = null;
  let [stated, inherited]: (readonly string[])[] = [[], []]; // by `default-server`: of `defaults`, of the section
  text.split(/\r?\n/).forEach((line, i) => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    const [first = '', second = ''] = words;
    if (sections.test(first)) {
      if (first === 'defaults') stated = [];
      backend = /^(backend|listen)$/.test(first) ? second : null;
      inherited = stated!;
    } else if (first === 'default-server') {
      inherited = [...inherited!, ...words.slice(1)];
      if (backend === null) stated = inherited;
    } else if (first === 'server-template' && backend !== null) {
      throw new ConfigError(`${where}:${i + 1}: a server-template is not read; give what "show stat" prints instead`);
    } else if (first === 'server' && backend !== null) {
      const options = [...inherited!, ...words.slice(3)]; // the last word counts
      const at = options.lastIndexOf('weight');
      const isOut = holds(options, 'backup', 'no-backup') || holds(options, 'disabled', 'enabled');
      const weight = isOut ? 0 : at < 0 ? 1 : Number(options[at + 1]);
      put(backends, { backend, server: second, weight }, `${where}:${i + 1}`);
    }
  });
  return backends;
}

const sections =
  /^(global|defaults|frontend|backend|listen|peers|resolvers|userlist|program|ring|cache|mailers|http-errors)$/;

function holds(options: readonly string[], word: string, opposite: string): boolean {
  return options.lastIndexOf(word) > options.lastIndexOf(opposite);
}

function columnsOf(
  names: readonly string[],
  asked: readonly string[],
  command: string,
  where: string,
): readonly number[] {
  return asked.map((name) => {
    const column = names.indexOf(name);
    if (column < 0) throw new ConfigError(`${where}: no column ${name}, expected what "${command}" prints`);
    return column;
  });
}

function put(
  backends: Backends,
  { backend, server, weight }: { readonly backend: string; readonly server: string; readonly weight: number },
  at: string,
): void {
  if (!(Number.isInteger(weight) && weight >= 0 && weight <= 256)) {
    throw new ConfigError(`${at}: weight of server "${server}" is ${weight}, expected 0..256`);
  }
  const servers = backends.get(backend) ?? new Map<string, number>();
  if (servers.has(server)) throw new ConfigError(`${at}: server "${server}" is given twice in "${backend}"; keep one`);
  backends.set(backend, servers.set(server, weight));
}
