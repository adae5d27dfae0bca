/** What `taiji get` shows of publication: plans that may be applied, versions, and what each edge has applied. */

interface PlansBody {
  readonly plans: readonly {
    readonly id: string;
    readonly origin: string;
    readonly author: string;
    readonly createdAt: string;
    readonly base: { readonly version: number };
    readonly churn: { readonly forced: number; readonly elective: number };
    readonly refusals: readonly { readonly limit: string }[];
    readonly checksum: string;
  }[];
}

interface TablesBody {
  readonly versions: readonly {
    readonly version: number;
    readonly publishedAt: string | null;
    readonly cause: string;
    readonly author: string;
    readonly tableSha256: string;
  }[];
}

interface EdgesBody {
  readonly edges: readonly {
    readonly edge: string;
    readonly sha256: string | null;
    readonly applied: { readonly sha256: string; readonly at: string } | null;
    readonly isCurrent: boolean;
  }[];
}

/** Each is asked for at the path of its service. */
export const publicationGettables = {
  plans: {
    path: '/plans',
    service: 'path',
    header: ['id', 'origin', 'author', 'created', 'on', 'churn', 'over', 'checksum'],
    rows: ({ plans }: PlansBody) =>
      plans.map(({ id, origin, author, createdAt, base, churn, refusals, checksum }) => [
        ...[id, origin, author, createdAt, String(base.version), (churn.forced + churn.elective).toFixed(4)],
        ...[[...new Set(refusals.map(({ limit }) => limit))].join(',') || '-', checksum],
      ]),
  },
  tables: {
    path: '/tables',
    service: 'path',
    header: ['version', 'published', 'cause', 'author', 'sha256'],
    rows: ({ versions }: TablesBody) =>
      versions.map(({ version, publishedAt, cause, author, tableSha256 }) => [
        ...[String(version), publishedAt ?? '-', cause, author, tableSha256.slice(0, 12)],
      ]),
  },
  edges: {
    path: '/rollout',
    service: 'path',
    header: ['edge', 'current', 'wanted', 'applied', 'since'],
    rows: ({ edges }: EdgesBody) =>
      edges.map(({ edge, sha256, applied, isCurrent }) => [
        ...[edge, isCurrent ? 'yes' : 'no', sha256?.slice(0, 12) ?? '-'],
        ...[applied?.sha256.slice(0, 12) ?? '-', applied?.at ?? '-'],
      ]),
  },
} as const;
