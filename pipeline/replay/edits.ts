/** What-if edits as people write them, `capacity.tokyo*=0.5,demand.*=1.3,policy.guards.churnMax=0.02`: text to edits whose
 *  names are found in a topology. One grammar for plan and replay; a file of edits was declined, a shell has variables.
 *  `*=` is always the operator: `demand.*=1.3` multiplies all demand, as `demand.**=1.3` does, and to set every one the
 *  star stands apart, `demand.* =100`. Of several services, `policy.web.movePriceMs=2` edits the policy of one, and
 *  `policy.movePriceMs=2` that of each. */

import { jsonSchemaOf } from '../../config/checked.ts';
import { didYouMean } from '../../config/did-you-mean.ts';
import { ConfigError } from '../../config/errors.ts';
import { policySchema } from '../../config/policy.ts';
import type { Topology } from '../../config/topology.ts';
import { parseYaml } from '../../config/yaml.ts';

export type Edit = {
  readonly text: string; // in its one spelling, `demand.* *= 1.3`: parsed again it is the same edit
  readonly where: string; // how complaints begin
  readonly operator: Operator;
} & (
  | { readonly kind: 'capacity'; readonly indices: readonly number[]; readonly value: number } // [d]
  | { readonly kind: 'demand'; readonly indices: readonly number[]; readonly value: number } // [e], at every time
  | { readonly kind: 'state'; readonly indices: readonly number[]; readonly value: number } // [d], of keep
  | { readonly kind: 'rtt'; readonly indices: readonly number[]; readonly value: number } // [e * D + d]
  | {
      readonly kind: 'resource';
      readonly indices: readonly number[];
      readonly resource: string;
      readonly value: number;
    } // [d]
  | {
      readonly kind: 'policy';
      readonly service: string | null; // whose; null: everybody's
      readonly path: readonly string[]; // below spec
      readonly value: unknown;
    }
);

type Operator = '=' | '*=' | '+=';

const forms = {
  capacity: 'capacity.DATACENTER',
  demand: 'demand.EDGE',
  state: 'state.DATACENTER.keep',
  rtt: 'rtt.EDGE.DATACENTER',
  policy: 'policy.KEY',
} as const;

/** In the order written. `services`: whose policies may be named. Throws a ConfigError that says at which character, what
 *  was found and what is expected. */
export function parseEdits(text: string, topology: Topology, services: readonly string[] = []): readonly Edit[] {
  return pieces(text).map(({ piece, at }) => parseEdit(piece, at, topology, services));
}

interface Said {
  readonly where: string;
  readonly name: string; // after the kind and its dot
  readonly operator: Operator;
  readonly value: string;
}

function parseEdit(piece: string, at: number, topology: Topology, services: readonly string[]): Edit {
  const written = piece.trim();
  const where = `--what-if: character ${at + piece.length - piece.trimStart().length + 1}`;
  const all = Object.values(forms).join(', ');
  if (written === '')
    throw new ConfigError(`${where}: no edit, expected one such as capacity.tokyo*=0.5 or demand.*=1.3`);
  const equals = written.indexOf('=');
  if (equals < 0) {
    throw new ConfigError(`${where}: ${shown(written)} changes nothing, expected =, *= or += and a value`);
  }
  const operator = operatorBefore(written, equals);
  const left = written
    .slice(0, equals + 1 - operator.length)
    .trim()
    .normalize('NFC');
  const dot = left.indexOf('.');
  const kind = dot < 0 ? left : left.slice(0, dot);
  if (!isKind(kind)) {
    const key = specKeys.includes(kind) ? ` (did you mean "policy.${kind}"?)` : didYouMean(kind, Object.keys(forms));
    throw new ConfigError(`${where}: unknown ${shown(kind)}${key}; expected ${all}`);
  }
  const name = dot < 0 ? '' : left.slice(dot + 1);
  // `demand.*=1.3` reads as every edge, times 1.3.
  const every = operator === '*=' && kind !== 'policy' && (name === '' || name.endsWith('.')) && dot >= 0;
  const said = { where, name: every ? `${name}*` : name, operator, value: written.slice(equals + 1).trim() };
  if (said.name === '') throw new ConfigError(`${where}: ${shown(left)} names nothing, expected ${forms[kind]}`);
  return kind === 'policy' ? policyEdit(said, services) : worldEdit(kind, said, topology);
}

function operatorBefore(written: string, equals: number): Operator {
  const sign = written[equals - 1];
  return sign === '*' ? '*=' : sign === '+' ? '+=' : '=';
}

const isKind = (kind: string): kind is keyof typeof forms => Object.hasOwn(forms, kind);

const specKeys: readonly string[] = Object.keys(jsonSchemaOf(policySchema).properties?.['spec']?.properties ?? {});

function worldEdit(kind: 'capacity' | 'demand' | 'state' | 'rtt', said: Said, topology: Topology): Edit {
  const { where, operator } = said;
  const value = numberOf(said);
  const edit = { text: `${kind}.${said.name} ${operator} ${value}`, where, operator, value };
  switch (kind) {
    case 'capacity': {
      const pool = poolOf(said.name, topology);
      if (pool) return { ...edit, kind: 'resource', ...pool };
      return { ...edit, kind, indices: indicesOf(said.name, topology.datacenters, 'datacenter', where) };
    }
    case 'demand':
      return { ...edit, kind, indices: indicesOf(said.name, topology.edges, 'edge', where) };
    case 'state': {
      if (!said.name.endsWith('.keep') || said.name === '.keep') {
        throw new ConfigError(`${where}: ${shown(`state.${said.name}`)}, expected ${forms.state}, a share 0..1`);
      }
      if (operator === '+=' || !(value >= 0 && value <= 1)) {
        throw new ConfigError(
          `${where}: keep ${operator} ${value}, expected = or *= and a share 0..1; 0 empties at once`,
        );
      }
      return { ...edit, kind, indices: indicesOf(said.name.slice(0, -5), topology.datacenters, 'datacenter', where) };
    }
    case 'rtt':
      return { ...edit, kind, indices: pairsOf(said.name, topology, where) };
  }
}

function numberOf({ value, where }: Said): number {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) ? Number(value) : Number.NaN;
  if (Number.isFinite(number)) return number === 0 ? 0 : number; // -0 is spelled 0
  const percent = /^(\d+(?:\.\d+)?) ?%$/.exec(value);
  const mend = percent ? `; write ${Number((Number(percent[1]) / 100).toPrecision(12))} for ${shown(value, '')}` : '';
  throw new ConfigError(`${where}: the value is ${shown(value)}, expected a number such as 0.5${mend}`);
}

interface Named {
  readonly id: string;
}

function indicesOf(name: string, known: readonly Named[], noun: string, where: string): readonly number[] {
  const indices = known.flatMap(({ id }, i) => (name === '*' || name === id ? [i] : []));
  if (indices.length > 0) return indices;
  const ids = known.map(({ id }) => id);
  const some = ids.length <= 12 ? ids.join(', ') : `${ids.slice(0, 10).join(', ')} and ${ids.length - 10} more`;
  throw new ConfigError(
    `${where}: unknown ${noun} ${shown(name)}${didYouMean(name, ids)}; expected ${some}, or * for all`,
  );
}

/** `tokyo.cores`, where that is no datacenter's own name; null where it is no resource's either. */
function poolOf(
  name: string,
  { datacenters, resources = [] }: Topology,
): { readonly indices: readonly number[]; readonly resource: string } | null {
  if (name === '*' || datacenters.some(({ id }) => id === name)) return null;
  for (const { name: resource } of resources) {
    if (!name.endsWith(`.${resource}`)) continue;
    const place = name.slice(0, -resource.length - 1);
    const indices = datacenters.flatMap(({ id }, d) => (place === '*' || place === id ? [d] : []));
    if (indices.length > 0) return { indices, resource };
  }
  return null;
}

/** Ids may hold dots: the dot between the two is the one that leaves two names. */
function pairsOf(name: string, { edges, datacenters }: Topology, where: string): readonly number[] {
  const isOf = (known: readonly Named[], part: string): boolean => part === '*' || known.some(({ id }) => id === part);
  const splits = [...name.matchAll(/\./g)].map(({ index }) => [name.slice(0, index), name.slice(index + 1)] as const);
  if (splits.length === 0) {
    throw new ConfigError(`${where}: ${shown(`rtt.${name}`)} is no pair, expected ${forms.rtt}, either may be *`);
  }
  const fitting = splits.filter(([edge, datacenter]) => isOf(edges, edge) && isOf(datacenters, datacenter));
  if (fitting.length > 1) {
    const pairs = fitting.map((pair) => pair.join(' to ')).join(' or ');
    throw new ConfigError(`${where}: ${shown(`rtt.${name}`)} can mean ${pairs}, expected one pair; rename one of them`);
  }
  const [edge, datacenter] = fitting[0] ?? splits.find(([first]) => isOf(edges, first)) ?? splits[0]!;
  const rows = indicesOf(edge, edges, 'edge', where);
  const columns = indicesOf(datacenter, datacenters, 'datacenter', where);
  return rows.flatMap((e) => columns.map((d) => e * datacenters.length + d));
}

function policyEdit(said: Said, services: readonly string[]): Edit {
  const { where, name, operator } = said;
  const service = services.find((one) => name.startsWith(`${one}.`)) ?? null;
  const path = (service === null ? name : name.slice(service.length + 1)).split('.');
  if (!path.every((key) => /^([A-Za-z][A-Za-z0-9]*|\d{1,6})$/.test(key))) {
    throw new ConfigError(
      `${where}: ${shown(`policy.${name}`)} is no key, expected one such as policy.guards.churnMax`,
    );
  }
  const common = { kind: 'policy' as const, where, operator, service, path };
  if (operator !== '=') {
    const value = numberOf(said);
    return { ...common, text: `policy.${name} ${operator} ${value}`, value };
  }
  const value = yamlOf(said);
  return { ...common, text: `policy.${name} = ${JSON.stringify(value)}`, value };
}

/** As in the policy file: 0.02, balance, null, [[0.6, 1]], { kind: stateless }. */
function yamlOf({ value, where, name }: Said): unknown {
  const refused = new ConfigError(
    `${where}: the value of policy.${name} is ${value === '' ? 'missing' : shown(value)}, expected one as in a policy file, such as 0.02`,
  );
  if (value === '') throw refused;
  try {
    const parsed = parseYaml(value, where).value;
    JSON.stringify(parsed); // a knot of aliases throws
    return parsed;
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof TypeError)) throw error;
  }
  throw refused;
}

/** Cut at the commas outside brackets, braces and quotes. */
function pieces(text: string): readonly { readonly piece: string; readonly at: number }[] {
  const found: { piece: string; at: number }[] = [];
  let start = 0;
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!;
    if (quote === '"' && letter === '\\') i += 1;
    else if (quote !== '') quote = letter === quote ? '' : quote;
    else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === '[' || letter === '{') depth += 1;
    else if (letter === ']' || letter === '}') depth -= 1;
    else if (letter === ',' && depth <= 0) {
      found.push({ piece: text.slice(start, i), at: start });
      start = i + 1;
      depth = 0;
    }
  }
  return [...found, { piece: text.slice(start), at: start }];
}

/** What was written may hold anything, a line end too. */
function shown(written: string, mark = '"'): string {
  const short = written.length > 60 ? `${written.slice(0, 57)}...` : written;
  const spelled = JSON.stringify(short);
  return mark === '' ? spelled.slice(1, -1) : spelled;
}
