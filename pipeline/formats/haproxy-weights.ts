/** HAProxy: the answer to `show servers state`, with the weights that are in force, or `server` lines of its configuration.
 *  Servers that somebody has taken out (maintenance, drain, `disabled`) weigh 0, and so do backups; one that is down weighs
 *  what it would: it is not out for good. */

import { ConfigError } from '../../config/errors.ts';
import { oneOf } from './one-of.ts';

type Backends = Map<string, Map<string, number>>;

export function isHaproxyState(text: string): boolean {
  return /^\s*\d+\s*\n#\s*be_id\s/.test(text);
}

export function haproxyWeights(text: string, cluster: string | null, where: string): ReadonlyMap<string, number> {
  const backends = isHaproxyState(text) ? ofState(text, where) : ofConfiguration(text, where);
  return oneOf(backends, cluster, 'backend', where);
}

function ofState(text: string, where: string): Backends {
  const lines = text.split(/\r?\n/);
  const head = lines.findIndex((line) => line.startsWith('#'));
  const names = lines[head]!.replace(/^#\s*/, '').trim().split(/\s+/);
  const columns = ['be_name', 'srv_name', 'srv_admin_state', 'srv_uweight'].map((name) => {
    const column = names.indexOf(name);
    if (column < 0)
      throw new ConfigError(`${where}:${head + 1}: no column ${name}, expected what "show servers state" prints`);
    return column;
  });
  const backends: Backends = new Map();
  lines.forEach((line, i) => {
    if (i <= head || line.trim() === '' || line.startsWith('#')) return;
    const fields = line.trim().split(/\s+/);
    const [backend = '', server = '', admin = '', weight = ''] = columns.map((column) => fields[column]);
    const isOut = Number(admin) !== 0;
    put(backends, { backend, server, weight: isOut ? 0 : Number(weight) }, `${where}:${i + 1}`);
  });
  return backends;
}

function ofConfiguration(text: string, where: string): Backends {
  const backends: Backends = new Map();
  let backend: string | null = null;
  text.split(/\r?\n/).forEach((line, i) => {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    const [first = '', second = ''] = words;
    if (/^(backend|listen)$/.test(first)) backend = second;
    else if (/^(frontend|global|defaults|peers|resolvers|userlist)$/.test(first)) backend = null;
    if (first !== 'server' || backend === null) return;
    const at = words.indexOf('weight');
    const isOut = words.includes('backup') || words.includes('disabled');
    const weight = isOut ? 0 : at < 0 ? 1 : Number(words[at + 1]);
    put(backends, { backend, server: second, weight }, `${where}:${i + 1}`);
  });
  return backends;
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
