import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../config/errors.ts';
import { generateWorld } from '../../config/generate.ts';
import { writeFileAtomically } from '../../config/io/files.ts';
import { readPolicy, readWorld, writeWorld } from '../../config/load.ts';
import { parseWorld } from '../../config/world-files.ts';
import { complaintOf, scratchDirectory, smallWorld, smallWorldFiles } from './small-world.ts';

const dataDirectory = process.env['TAIJI_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));

describe('a good world', () => {
  test('is read with its ids sorted, its matrices row-major and its ties as user indices', () => {
    const world = readWorld(smallWorld());
    expect(world.topology.edges.map((edge) => [edge.id, edge.city])).toEqual([
      ['fra', 'Frankfurt'],
      ['nyc', 'New York, NY'],
    ]);
    expect([...world.topology.rttMs]).toEqual([92.5, 25, 8, 71]);
    expect([...world.demand.rps]).toEqual([400, 100, 410, 90, 0, 80.5]);
    expect(world.demand.timesMs[1]! - world.demand.timesMs[0]!).toBe(300_000);
    expect(world.events.map((event) => event.state)).toEqual(['abnormal', 'normal']);
    expect([...world.users.homeEdge]).toEqual([0, 1, 0]);
    expect([...world.friends]).toEqual([0, 1, 2, 0]);
  });

  test('is the same with CRLF, byte order marks, quotes, other column orders and sorting, and gzipped friends', () => {
    const plain = readWorld(smallWorld());
    const odd = readWorld(
      smallWorld({
        'edges.csv': '\ufeffcity,edge,lon,lat\r\n"New York, NY",nyc,-74.01,40.71\r\n"Frankfurt",fra,8.68,50.11\r\n',
        'latency.csv': 'rtt_ms,edge,datacenter\n71,nyc,dublin\n8,nyc,ashburn\n25,fra,dublin\n92.5,fra,ashburn\n',
        'demand.csv': smallWorldFiles['demand.csv']!.replaceAll('\n', '\r\n'),
        'friends.csv': null,
        'friends.csv.gz': gzipSync(smallWorldFiles['friends.csv']!),
      }),
    );
    expect(odd).toEqual(plain);
  });

  test('may have datacenters of capacity 0, zero demand, no events and a single time', () => {
    const world = readWorld(
      smallWorld({
        'datacenters.csv': 'datacenter,lat,lon,capacity_rps\nashburn,39,-77,900\ndublin,53,-6,0\n',
        'demand.csv': 'time,fra,nyc\n2026-03-02T00:00:00Z,0,0\n',
        'events.csv': 'time,datacenter,state\n',
        'friends.csv': 'user,friend\n',
      }),
    );
    expect(world.topology.datacenters[1]!.capacityRps).toBe(0);
    expect(world.events).toEqual([]);
    expect(world.friends).toHaveLength(0);
  });

  test('may name the region of an edge, which is written back', () => {
    const world = readWorld(
      smallWorld({ 'edges.csv': 'edge,city,lat,lon,region\nfra,Frankfurt,50,8,"eu, west"\nnyc,New York,40,-74,\n' }),
    );
    expect(world.topology.edges.map(({ region }) => region)).toEqual(['eu, west', undefined]);
    const dir = scratchDirectory();
    writeWorld(dir, world);
    expect(readWorld(dir)).toEqual(world);
  });

  test('counts a tie once that is listed from either side', () => {
    expect([...readWorld(smallWorld({ 'friends.csv': 'user,friend\nu1,u2\nu2,u1\nu1,u2\n' })).friends]).toEqual([0, 1]);
  });
});

describe('writing', () => {
  test.each([
    { seed: 5 },
    { seed: 6, edges: 1, datacenters: 1, users: 1, days: 1 },
    { seed: 7, edges: 120, datacenters: 30, users: 3000, days: 1 },
  ])('a generated world %o and reading it again changes nothing', (size) => {
    const world = generateWorld({ days: 1, users: 2000, ...size });
    const dir = scratchDirectory();
    writeWorld(dir, world);
    expect(readWorld(dir)).toEqual(world);
  });

  test('twice gives the same bytes, and the files of a real world', () => {
    const world = readWorld(smallWorld());
    const [one, other] = [scratchDirectory(), scratchDirectory()];
    writeWorld(one, world);
    writeWorld(other, world);
    writeWorld(other, world); // over the first
    expect(readdirSync(one).sort()).toEqual([
      'datacenters.csv',
      'demand.csv',
      'edges.csv',
      'events.csv',
      'friends.csv.gz',
      'latency.csv',
      'users.csv',
    ]);
    expect(readdirSync(other).sort()).toEqual(readdirSync(one).sort());
    for (const name of readdirSync(one)) {
      expect(readFileSync(join(other, name)).equals(readFileSync(join(one, name)))).toBe(true);
    }
    for (const name of ['edges.csv', 'demand.csv', 'users.csv']) {
      expect(readFileSync(join(one, name), 'utf8')).toBe(smallWorldFiles[name]);
    }
    expect(gunzipSync(readFileSync(join(one, 'friends.csv.gz'))).toString()).toBe(smallWorldFiles['friends.csv']);
  });

  test('over a directory with plain friends leaves one friends file', () => {
    const dir = smallWorld();
    writeWorld(dir, readWorld(dir));
    expect(existsSync(join(dir, 'friends.csv'))).toBe(false);
    expect(readWorld(dir).friends).toHaveLength(4);
  });

  test('a file replaces the old one whole, leaves nothing beside it and obeys the mode', () => {
    const dir = scratchDirectory();
    const path = join(dir, 'state');
    writeFileSync(path, 'old, and longer than the new');
    writeFileAtomically(path, 'new', 0o600);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(dir)).toEqual(['state']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('where nothing can be written says so and leaves the old file as it was', () => {
    const dir = scratchDirectory();
    const file = join(dir, 'file');
    writeFileSync(file, 'old');
    expect(complaintOf(() => writeFileAtomically(join(dir, 'absent', 'state'), 'new'))).toContain(
      'absent/state: cannot be written (no such file); check the directory, its permissions and space',
    );
    expect(complaintOf(() => writeWorld(file, readWorld(smallWorld())))).toBe(
      `${file}: the directory cannot be made (file already exists); choose another place`,
    );
    mkdirSync(join(dir, 'taken'));
    expect(complaintOf(() => writeFileAtomically(join(dir, 'taken'), 'new'))).toContain('taken: cannot be written (');
    expect(readdirSync(dir).sort()).toEqual(['file', 'taken']);
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  test('a pipe is written to and stays a pipe', async () => {
    const path = join(scratchDirectory(), 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = spawn('cat', [path]);
    const read: string[] = [];
    reader.stdout.on('data', (chunk) => read.push(String(chunk)));
    writeFileAtomically(path, 'new');
    const end = setTimeout(() => reader.kill(), 5000);
    await once(reader, 'close');
    clearTimeout(end);
    expect(statSync(path).isFIFO()).toBe(true);
    expect(read.join('')).toBe('new');
  });
});

describe('a bad world is refused with one line', () => {
  const demand = (rows: string): string => `time,fra,nyc\n${rows}`;
  const cases: [string, Readonly<Record<string, string | Uint8Array | null>>, string][] = [
    ['a missing file', { 'events.csv': null }, 'events.csv: no such file; a world has edges.csv, datacenters.csv,'],
    ['no friends at all', { 'friends.csv': null }, 'friends.csv: no such file'],
    ['two friends files', { 'friends.csv.gz': gzipSync('user,friend\n') }, 'both friends.csv and friends.csv.gz'],
    ['an empty file', { 'edges.csv': '' }, 'edges.csv: the file is empty, expected the header edge,city,lat,lon'],
    ['a header alone', { 'edges.csv': 'edge,city,lat,lon\n' }, 'edges.csv: no edges, expected at least one row'],
    ['no datacenter', { 'datacenters.csv': 'datacenter,lat,lon,capacity_rps\n' }, 'no datacenters, expected at least'],
    ['no times', { 'demand.csv': 'time,fra,nyc\n' }, 'demand.csv: no demand, expected at least one row'],
    ['no users', { 'users.csv': 'user,home_edge,weight\n' }, 'users.csv: no users, expected at least one row'],
    ['a binary file', { 'edges.csv': 'edge\u0000' }, 'edges.csv: not a text file'],
    [
      'a misspelt column',
      { 'users.csv': 'user,home_edge,wieght\nu1,fra,1\n' },
      'users.csv:1: no column "weight" in the header "user,home_edge,wieght", expected user,home_edge,weight',
    ],
    [
      'an unknown column',
      { 'users.csv': 'user,home_edge,weight,wieght\nu1,fra,1,1\n' },
      'users.csv:1: unknown column "wieght" (did you mean "weight"?); expected user, home_edge, weight',
    ],
    ['a column twice', { 'demand.csv': 'time,fra,fra\n' }, 'demand.csv:1: column "fra" is given twice; keep one'],
    [
      'a bare comma in a field',
      { 'edges.csv': 'edge,city,lat,lon\nnyc,New York, NY,40,-74\n' },
      'edges.csv:2: 5 fields, expected 4 as in the header; a comma inside a field needs quotes',
    ],
    ['an open quote', { 'edges.csv': 'edge,city,lat,lon\nnyc,"New York,40,-74\n' }, 'edges.csv:2: a quote is opened'],
    ['a stray quote', { 'edges.csv': 'edge,city,lat,lon\nnyc,New "York",40,-74\n' }, 'edges.csv:2: a stray quote'],
    [
      'an id with a blank',
      { 'edges.csv': 'edge,city,lat,lon\nn c,New York,40,-74\n' },
      'edges.csv:2: edge "n c" is not',
    ],
    [
      'a latitude of 95',
      { 'edges.csv': 'edge,city,lat,lon\nnyc,New York,95,-74\n' },
      'lat is "95", expected a number of',
    ],
    [
      'an edge twice',
      { 'edges.csv': `${smallWorldFiles['edges.csv']}fra,Frankfurt,50,8\n` },
      'edges.csv:4: edge "fra" is given twice, first on line 2; keep one row',
    ],
    [
      'a datacenter twice',
      { 'datacenters.csv': `${smallWorldFiles['datacenters.csv']}dublin,53,-6,1\n` },
      'datacenters.csv:4: datacenter "dublin" is given twice, first on line 3; keep one row',
    ],
    [
      'a negative capacity',
      { 'datacenters.csv': 'datacenter,lat,lon,capacity_rps\nashburn,39,-77,-1\n' },
      'datacenters.csv:2: capacity_rps is "-1", expected a number of at least 0',
    ],
    [
      'a capacity with a unit',
      { 'datacenters.csv': 'datacenter,lat,lon,capacity_rps\nashburn,39,-77,1.2M\n' },
      'datacenters.csv:2: capacity_rps is "1.2M", expected a number of at least 0 and at most 9007199254740991 in rps; write 1200000',
    ],
    [
      'capacity 0 everywhere',
      { 'datacenters.csv': 'datacenter,lat,lon,capacity_rps\nashburn,39,-77,0\ndublin,53,-6,0\n' },
      'datacenters.csv: capacity_rps is 0 everywhere, expected at least one datacenter that may serve',
    ],
    [
      'an edge without a latency row',
      { 'latency.csv': 'edge,datacenter,rtt_ms\nfra,ashburn,92.5\nfra,dublin,25\nnyc,ashburn,8\n' },
      'latency.csv: no latency from edge "nyc" to datacenter "dublin"; add the row',
    ],
    [
      'a latency in seconds',
      { 'latency.csv': 'edge,datacenter,rtt_ms\nfra,ashburn,0.2s\n' },
      'latency.csv:2: rtt_ms is "0.2s", expected a number of at least 0 and at most 60000 in ms; write 200',
    ],
    [
      'a negative latency',
      { 'latency.csv': 'edge,datacenter,rtt_ms\nfra,ashburn,-3\n' },
      'latency.csv:2: rtt_ms is "-3"',
    ],
    [
      'a latency twice',
      { 'latency.csv': `${smallWorldFiles['latency.csv']}fra,dublin,26\n` },
      'latency.csv:6: pair "fra,dublin" is given twice, first on line 3',
    ],
    [
      'a latency of an unknown edge',
      { 'latency.csv': 'edge,datacenter,rtt_ms\nfrs,ashburn,3\n' },
      'latency.csv:2: unknown edge "frs" (did you mean "fra"?); add it to edges.csv',
    ],
    [
      'a latency to an unknown datacenter',
      { 'latency.csv': 'edge,datacenter,rtt_ms\nfra,asburn,3\n' },
      'latency.csv:2: unknown datacenter "asburn" (did you mean "ashburn"?); add it to datacenters.csv',
    ],
    [
      'demand of an unknown edge',
      { 'demand.csv': 'time,fra,nyk\n' },
      'demand.csv:1: unknown edge "nyk" (did you mean "nyc"?); add it to edges.csv',
    ],
    [
      'an edge without demand',
      { 'demand.csv': 'time,fra\n' },
      'demand.csv:1: no column for edge "nyc"; add it, with 0',
    ],
    [
      'negative demand',
      { 'demand.csv': demand('2026-03-02T00:00:00Z,5,-4\n') },
      'demand.csv:2: demand of nyc is "-4", expected a number of at least 0',
    ],
    ['demand NaN', { 'demand.csv': demand('2026-03-02T00:00:00Z,NaN,4\n') }, 'demand.csv:2: demand of fra is "NaN"'],
    ['infinite demand', { 'demand.csv': demand('2026-03-02T00:00:00Z,1e999,4\n') }, 'demand of fra is "1e999"'],
    [
      'empty demand',
      { 'demand.csv': demand('2026-03-02T00:00:00Z,4,4\n2026-03-02T00:05:00Z,,4\n') },
      'demand.csv:3: demand of fra is empty, expected a number of at least 0 and at most 9007199254740991 in rps; write 0 where there is none',
    ],
    [
      'a local time',
      { 'demand.csv': demand('2026-03-02 00:00,4,4\n') },
      'demand.csv:2: time is "2026-03-02 00:00", expected RFC 3339 in UTC such as 2026-03-05T00:00:00Z',
    ],
    ['a day that is not', { 'demand.csv': demand('2026-02-30T00:00:00Z,4,4\n') }, 'demand.csv:2: time is "2026-02-30T'],
    [
      'unordered times',
      { 'demand.csv': demand('2026-03-02T00:05:00Z,4,4\n2026-03-02T00:00:00Z,4,4\n') },
      'demand.csv:3: time 2026-03-02T00:00:00Z does not follow 2026-03-02T00:05:00Z; sort the rows by time',
    ],
    [
      'a time twice',
      { 'demand.csv': demand('2026-03-02T00:05:00Z,4,4\n2026-03-02T00:05:00Z,4,4\n') },
      'demand.csv:3: time 2026-03-02T00:05:00Z does not follow 2026-03-02T00:05:00Z',
    ],
    [
      'a gap between times',
      { 'demand.csv': demand('2026-03-02T00:00:00Z,4,4\n2026-03-02T00:05:00Z,4,4\n2026-03-02T00:15:00Z,4,4\n') },
      'demand.csv:4: time 2026-03-02T00:15:00Z is 600 s after the row before it, expected the even step of 300 s',
    ],
    [
      'an event of an unknown datacenter',
      { 'events.csv': 'time,datacenter,state\n2026-03-02T00:05:00Z,dubln,abnormal\n' },
      'events.csv:2: unknown datacenter "dubln" (did you mean "dublin"?); add it to datacenters.csv',
    ],
    [
      'an event of an unknown state',
      { 'events.csv': 'time,datacenter,state\n2026-03-02T00:05:00Z,dublin,abnormol\n' },
      'events.csv:2: state is "abnormol", expected abnormal or normal (did you mean "abnormal"?)',
    ],
    [
      'two events at once',
      { 'events.csv': `${smallWorldFiles['events.csv']}2026-03-02T00:10:00Z,dublin,abnormal\n` },
      'events.csv:4: event of "dublin at 2026-03-02T00:10:00Z" is given twice, first on line 3',
    ],
    [
      'a user with an unknown home',
      { 'users.csv': 'user,home_edge,weight\nu1,frankfurt,1\n' },
      'users.csv:2: unknown edge "frankfurt"; add it to edges.csv',
    ],
    [
      'a negative weight',
      { 'users.csv': 'user,home_edge,weight\nu1,fra,-1\n' },
      'weight is "-1", expected a number above 0',
    ],
    [
      'a weight of 0',
      { 'users.csv': 'user,home_edge,weight\nu1,fra,0\n' },
      'users.csv:2: weight is "0", expected a number',
    ],
    [
      'a user twice',
      { 'users.csv': `${smallWorldFiles['users.csv']}u2,fra,1\n` },
      'users.csv:5: user "u2" is given twice, first on line 3; keep one row',
    ],
    [
      'a user without id',
      { 'users.csv': 'user,home_edge,weight\n,fra,1\n' },
      'users.csv:2: user is empty, expected an id',
    ],
    [
      'a tie of an unknown user',
      { 'friends.csv': 'user,friend\nu1,u9\n' },
      'friends.csv:2: unknown user "u9"; add it to users.csv or remove the tie',
    ],
    [
      'a self-tie',
      { 'friends.csv': 'user,friend\nu1,u1\n' },
      'friends.csv:2: user "u1" is tied to itself; remove the row',
    ],
    [
      'a truncated gzip',
      { 'friends.csv': null, 'friends.csv.gz': gzipSync(smallWorldFiles['friends.csv']!).subarray(0, 24) },
      'friends.csv.gz: not a whole gzip file (unexpected end of file); copy it again',
    ],
    [
      'a gzip that is none',
      { 'friends.csv': null, 'friends.csv.gz': 'user,friend\n' },
      'friends.csv.gz: not a whole gzip file (incorrect header check); copy it again',
    ],
  ];
  test.each(cases)('%s', (_, changes, expected) => {
    const dir = smallWorld(changes);
    const message = complaintOf(() => readWorld(dir));
    expect(message).toContain(expected);
    expect(message.startsWith(dir)).toBe(true);
    expect(message).not.toContain('\n');
  });

  test('whatever bytes are changed, cut or doubled: a world or one line, nothing else', () => {
    const names = Object.keys(smallWorldFiles);
    const snippet = fc.string({
      unit: fc.constantFrom(',', '"', '\n', '\r', '0', '-', 'e', 'N', '9', ' ', 'é', '\u0000'),
    });
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.nat({ max: 12 }), snippet, (name, from, length, text) => {
        const whole = smallWorldFiles[name]!;
        const at = from % (whole.length + 1);
        const files = { ...smallWorldFiles, [name]: whole.slice(0, at) + text + whole.slice(at + length) };
        try {
          const world = parseWorld((file) => ({ text: files[file]!, where: file }));
          expect(world.demand.rps.every((rps) => rps >= 0 && Number.isFinite(rps))).toBe(true);
          expect(world.topology.rttMs.every((rtt) => rtt >= 0 && Number.isFinite(rtt))).toBe(true);
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.message).toMatch(/^[a-z]+\.csv(:\d+)?: [^\n]+$/);
        }
      }),
      { numRuns: 600 },
    );
  });

  test('a directory that is not there', () => {
    expect(complaintOf(() => readWorld('absent'))).toMatch(
      /^absent: not a directory; a world is a directory with edges/,
    );
  });
});

test('the example policy states the defaults, key for key', () => {
  const example = readPolicy(fileURLToPath(new URL('../../config/examples/policy.yaml', import.meta.url)));
  const bare = join(scratchDirectory(), 'bare.yaml');
  writeFileSync(bare, 'apiVersion: taiji/v1\nkind: Policy\nmetadata: { service: web }\n');
  expect(example).toEqual(readPolicy(bare));
});

test('a policy file that is not there is named', () => {
  expect(complaintOf(() => readPolicy('absent.yaml'))).toBe(
    'absent.yaml: cannot be read (no such file); check the name and its permissions',
  );
});

test.skipIf(!existsSync(join(dataDirectory, 'world')))(
  `the real world is read and written back (skipped without ${dataDirectory})`,
  () => {
    const world = readWorld(join(dataDirectory, 'world'));
    expect(world.topology.edges).toHaveLength(42);
    expect(world.topology.datacenters).toHaveLength(10);
    expect(world.demand.timesMs).toHaveLength(2016);
    expect(world.users.ids).toHaveLength(47_538);
    expect(world.friends).toHaveLength(2 * 222_887);
    const dir = scratchDirectory();
    writeWorld(dir, world);
    const copy = readWorld(dir);
    expect(copy.topology).toEqual(world.topology);
    expect(Buffer.from(copy.demand.rps.buffer).equals(Buffer.from(world.demand.rps.buffer))).toBe(true);
    expect(Buffer.from(copy.friends.buffer).equals(Buffer.from(world.friends.buffer))).toBe(true);
    expect(copy.events).toEqual(world.events);
  },
);
