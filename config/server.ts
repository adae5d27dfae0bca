/** What `taiji serve --config FILE` reads: where the state lives, who may connect, what to plan on. One zod schema is
 *  the source of the type, the defaults and the error messages. Paths are taken from the file's own directory. */

import { z } from 'zod';
import { durationSchema, timerSchema, timeSchema } from './duration.ts';

const path = z.string().min(1);

const topologySchema = z.strictObject({
  dir: path.meta({ description: 'a world directory; its edges, datacenters, latency and users are read' }),
});

const limitsSchema = z
  .strictObject({
    staleAfter: durationSchema.default('10m').meta({ description: 'a value observed longer ago is not used' }),
    fillFor: durationSchema.default('30m').meta({ description: 'how long a last good value may stand in' }),
    filledShareMax: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .meta({ description: 'share of demand, and of datacenters, whose last good value may stand in' }),
    jumpFactor: z
      .number()
      .gt(1)
      .max(1_000_000)
      .default(10)
      .meta({ description: 'a demand that changed by more between epochs is used once it is confirmed' }),
    rttJumpFactor: z
      .number()
      .gt(1)
      .max(1_000_000)
      .default(4)
      .meta({ description: 'a round trip that changed by more is used once it is confirmed' }),
    allocationGapMax: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .meta({ description: "share of an edge's demand that may be observed elsewhere than the table says" }),
  })
  .prefault({});

const promql = z.string().min(1).max(10_000);

const queriesSchema = z.strictObject({
  demandRps: promql.meta({ description: 'PromQL, by edge: requests per second' }),
  datacenterUp: promql.meta({ description: 'PromQL, by datacenter: 1 in service, 0 abnormal' }),
  demandObservedAt: promql
    .nullable()
    .default(null)
    .meta({ description: 'PromQL, by edge: Unix time of the last sample behind demandRps; null: that of the query' }),
  datacenterHealthy: promql.nullable().default(null).meta({
    description:
      'PromQL, by datacenter: 1, or 0 where service metrics are bad, which alerts and moves nobody there or away',
  }),
  rttMs: promql
    .nullable()
    .default(null)
    .meta({ description: "PromQL, by edge and datacenter: round trip of users' connections, in milliseconds" }),
  rttObservedAt: promql.nullable().default(null).meta({
    description: 'PromQL, by edge and datacenter: Unix time of the last sample behind rttMs; null: that of the query',
  }),
  allocation: promql
    .nullable()
    .default(null)
    .meta({ description: "PromQL, by edge and datacenter: share of the edge's demand seen there" }),
  sessions: promql
    .nullable()
    .default(null)
    .meta({ description: 'PromQL, by edge and datacenter: established sessions of a sticky service' }),
  sessionsObservedAt: promql.nullable().default(null).meta({
    description:
      'PromQL, by edge and datacenter: Unix time of the last sample behind sessions; null: that of the query',
  }),
});

const telemetrySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('world'),
    dir: path.meta({ description: 'a world directory, read epoch by epoch up to the start of each' }),
    from: timeSchema.nullable().default(null).meta({ description: 'start of the first epoch; null: the second step' }),
    repeat: z.boolean().default(false).meta({ description: 'begin again at the end of the world instead of holding' }),
  }),
  z.strictObject({
    kind: z.literal('push'),
    topology: topologySchema,
    limits: limitsSchema,
  }),
  z.strictObject({
    kind: z.literal('prometheus'),
    topology: topologySchema,
    url: z
      .url({ protocol: /^https?$/, error: 'expected a url such as http://127.0.0.1:9090' })
      .refine((url) => !/^https?:\/\/[^/]*@/i.test(url), { error: 'expected no user and password' }),
    queries: queriesSchema,
    timeout: timerSchema.default('10s').meta({ description: 'a query that takes longer has failed' }),
    limits: limitsSchema,
  }),
]);

const clockSchema = z
  .strictObject({
    acceleration: z.number().gt(0).max(1_000_000).default(1).meta({ description: 'seconds of world time a second' }),
    epochWall: timerSchema
      .nullable()
      .default(null)
      .meta({ description: 'wall time of an epoch; overrides acceleration' }),
  })
  .refine(({ acceleration, epochWall }) => acceleration === 1 || epochWall === null, {
    error: 'expected acceleration or epochWall, not both',
  });

const journalSchema = z.strictObject({
  epochsPerFile: z.int().min(1).default(288),
  bytesPerFile: z.int().min(4096).default(67_108_864),
  filesKept: z.int().min(1).default(30),
});

const firstTableSchema = path.nullable().default(null).meta({
  description: 'table of taiji import or taiji plan --out that the first epoch of a new dataDirectory moves from',
});

const serviceSchema = z.strictObject({
  policy: path,
  tree: path.nullable().default(null).meta({ description: 'a tree of its own; null: the one beside services' }),
  firstTable: firstTableSchema,
});

export const serverSchema = z.strictObject({
  apiVersion: z.literal('taiji/v1'),
  kind: z.literal('Server'),
  spec: z
    .strictObject({
      dataDirectory: path,
      policy: path.nullable().default(null).meta({ description: 'of the one service; null: services lists several' }),
      tree: path.nullable().default(null).meta({ description: 'of every service that names none of its own' }),
      firstTable: firstTableSchema,
      services: z
        .array(serviceSchema)
        .max(100)
        .default([])
        .meta({ description: 'several services in one process; those that draw on the same are solved together' }),
      telemetry: telemetrySchema,
      clock: clockSchema.prefault({}),
      listen: z
        .strictObject({
          host: z.string().min(1).default('127.0.0.1'),
          port: z.int().min(0).max(65_535).default(8470).meta({ description: '0: any free port' }),
        })
        .prefault({}),
      allowedHosts: z
        .array(z.string().min(1).max(253))
        .default([])
        .meta({ description: 'names clients may use for this server besides loopback ones, without port' }),
      tokenFile: path.nullable().default(null).meta({
        description:
          "bearer tokens of writes, one a line, a name before it makes it that author's; null: token in dataDirectory",
      }),
      solver: z.enum(['highs', 'glpk']).default('highs'),
      freshEpochs: z
        .int()
        .min(1)
        .default(3)
        .meta({ description: 'epochs an edge may trust a table without hearing more' }),
      journal: journalSchema.prefault({}),
      versionsKept: z.int().min(2).default(288),
      historyEpochs: z
        .int()
        .min(288)
        .default(2016)
        .meta({ description: 'epochs kept in memory for the history route' }),
    })
    .refine(({ telemetry, clock }) => telemetry.kind === 'world' || clock.acceleration === 1, {
      path: ['clock', 'acceleration'],
      error: 'expected 1: only a world runs faster than the clock',
    })
    .refine(({ policy, services }) => policy !== null || services.length > 0, {
      path: ['policy'],
      error: 'no policy is given, expected the file of one; or several under services',
    })
    .refine(({ policy, services }) => policy === null || services.length === 0, {
      path: ['services'],
      error: 'policy is given, too; move it here, or remove one of the two keys',
    })
    .refine(({ firstTable, services }) => firstTable === null || services.length === 0, {
      path: ['firstTable'],
      error: 'services are given; each has a firstTable of its own',
    })
    .refine(({ tree, services }) => tree !== null || (services.length > 0 && services.every((one) => one.tree)), {
      path: ['tree'],
      error: 'no tree is given, expected the file of one that taiji bucketize wrote',
    }),
});

export type ServerConfig = z.infer<typeof serverSchema>;
export type ServerSpec = ServerConfig['spec'];
/** A service's files, as the config names them. */
export interface StatedService {
  readonly policy: string;
  readonly tree: string;
  readonly firstTable?: string;
}

/** At least one. */
export function statedServices({ policy, tree, firstTable, services }: ServerSpec): readonly StatedService[] {
  const all = policy === null ? services : [{ policy, tree, firstTable }];
  return all.map((one) => ({
    policy: one.policy,
    tree: one.tree ?? tree!,
    ...(one.firstTable && { firstTable: one.firstTable }),
  }));
}

export type LiveTelemetrySpec = Exclude<ServerSpec['telemetry'], { kind: 'world' }>;
