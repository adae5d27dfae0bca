/** A tree's report as one page for people: no script, no outside resource, plots as inline SVG. Names of people are not in
 *  it; numbers are all there is. Declined: the page of a replay with another subject; that one plots epochs. */

import type { TreeReport } from './bucketize.ts';
import { percent, rounded } from './figures.ts';
import type { RefreshReport } from './refresh.ts';
import { sharePlot } from './share-plot.ts';

/** A tree's report, with what the files and the tree before could tell. */
interface Reported extends TreeReport {
  readonly badLines?: number;
  readonly usersUnlisted?: number;
  readonly refresh?: RefreshReport;
}

/** HTML. The same report gives the same page. */
export function reportPage(report: Reported): string {
  const { treeVersion, height, seed, effort, objective, cache, refresh } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taiji bucket tree</title><style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667; --line: #8884; --fill: #3b7dd826; --card: #f5f7fa; --paper: #fff }
@media (prefers-color-scheme: dark) { :root { --ink: #dde3ec; --soft: #99a3b3; --fill: #3b7dd855; --card: #1c222c; --paper: #14181f } }
body { font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1080px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin: 0 } h2 { font-size: 1.1em; margin: 2em 0 .4em } p { margin: .3em 0 } .soft { color: var(--soft); overflow-wrap: anywhere }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: .8em; margin: 1.4em 0 }
.cards div { background: var(--card); border-radius: 6px; padding: .7em .9em } .cards b { display: block; font-size: 1.6em; line-height: 1.3 } .cards small { color: var(--soft) }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
td, th { padding: .2em .7em; text-align: right; font-weight: normal; white-space: nowrap } tbody tr { border-top: 1px solid var(--line) }
th { color: var(--soft) } thead tr:first-child th[colspan] { text-align: center } thead th { vertical-align: bottom } tbody th { text-align: left; white-space: normal }
.share { background: linear-gradient(90deg, var(--fill) var(--share), transparent var(--share)) }
svg { width: 100%; min-width: 640px; height: auto } text { fill: var(--soft); font-size: 12px } .axis { stroke: var(--line) }
.legend span { margin-right: 1em } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .3em; border-radius: 50% }
</style></head><body>
<h1>Taiji bucket tree</h1>
<p class="soft">${treeVersion}</p>
<p class="soft">height ${height}, seed ${seed}, effort ${effort}, objective ${objective}</p>
${cards(report)}
${localityPlot(report)}
${levelTable(report)}
${tieTable(report)}
${refresh === undefined ? '' : refreshTable(refresh)}
${cache === null ? '' : missPlot(cache)}
</body></html>
`;
}

/** The figures to look at first. */
function cards({ users, usersWithoutTies, usersUnlisted = 0, ...report }: Reported): string {
  const { ties, levels, fanout, refresh } = report;
  const buckets = levels.at(-1)!;
  const ofTies = (value: string, note: string): readonly [string, string] =>
    ties.kept === 0 ? ['-', 'no tie was kept'] : [value, note];
  const unlisted = usersUnlisted === 0 ? '' : `, ${grouped(usersUnlisted)} not listed`;
  const figures = [
    ['users', grouped(users), `${grouped(usersWithoutTies)} without ties${unlisted}`],
    ['buckets', grouped(buckets.nodes), `${decimal(users / buckets.nodes)} users each in the mean`],
    ['ties kept', grouped(ties.kept), `of ${grouped(ties.given)} given`],
    ['ties inside segments', ...ofTies(percent(report.meanLocality), 'mean of the levels below the root')],
    ['ties inside buckets', ...ofTies(percent(buckets.locality), `a hash: ${percent(1 / buckets.nodes)}`)],
    [
      'heaviest bucket',
      times(1 + buckets.imbalance),
      `the even share; its heaviest user alone ${times(buckets.heaviestUserInIt)}`,
    ],
    ...(fanout === null
      ? []
      : [['fanout', ...ofTies(rounded(fanout, 2), "buckets a user's request reaches in the mean")]]),
    ...(refresh === undefined
      ? []
      : [['users moved', percent(refresh.usersMovedShare), `of ${percent(refresh.moveMax)} allowed`]]),
  ];
  return `<div class="cards">${figures.map(([name, value, note]) => `<div>${name}<b>${value}</b><small>${note}</small></div>`).join('')}</div>`;
}

function localityPlot({ ties, levels }: Reported): string {
  const title = 'Ties inside one segment, where segments of a level are routed as a whole';
  if (ties.kept === 0) {
    return `<h2>${title}</h2><p class="soft">No tie was kept: none can be inside a segment, and nobody has friends whose items a cache could miss.</p>`;
  }
  const below = [
    { of: 'level', names: levels.map(({ level }) => `${level}`) },
    { of: 'segments', names: levels.map(({ nodes }) => grouped(nodes)) },
  ];
  const lines = [
    { name: 'tree', values: levels.map(({ locality }) => locality) },
    { name: 'hash', values: levels.map(({ nodes }) => 1 / nodes) },
  ];
  return `<h2>${title}</h2>${sharePlot(title, below, lines)}`;
}

function levelTable({ ties, levels, refresh, communities }: Reported): string {
  const groups = [
    { name: '', heads: ['level', 'segments'] },
    { name: 'ties', heads: ['inside', 'by a hash', 'weight cut'] },
    { name: 'heaviest segment, x even', heads: ['all of it', 'its heaviest user'] },
    ...(refresh === undefined ? [] : [{ name: 'moved to another', heads: ['users', 'weight'] }]),
    ...(communities === null ? [] : [{ name: 'communities', heads: ['that fit', 'whole', 'together'] }]),
  ];
  const rows = levels.map(({ level, nodes, locality, cutWeight, imbalance, heaviestUserInIt }, l) => {
    const moved = refresh?.movedByLevel[l];
    const audited = communities?.levels[l];
    const cells = [
      `<td>${level}</td><td>${grouped(nodes)}</td>`,
      ties.kept === 0
        ? '<td>-</td><td>-</td>'
        : `<td class="share" style="--share: ${percent(locality).replace(' ', '')}">${percent(locality)}</td><td>${percent(1 / nodes)}</td>`,
      `<td>${decimal(cutWeight)}</td>`,
      `<td>${rounded(1 + imbalance, 3)}</td><td>${rounded(heaviestUserInIt, 3)}</td>`,
      moved === undefined ? '' : `<td>${percent(moved.usersShare)}</td><td>${percent(moved.weightShare)}</td>`,
      audited === undefined
        ? ''
        : `<td>${grouped(audited.fitting)}</td><td>${percentOrNone(audited.whole)}</td><td>${percentOrNone(audited.together)}</td>`,
    ];
    return `<tr>${cells.join('')}</tr>`;
  });
  const names = groups.map(({ name, heads }) => `<th colspan="${heads.length}">${name}</th>`);
  const heads = groups.flatMap(({ heads }) => heads.map((head) => `<th>${head}</th>`));
  const audit =
    communities === null
      ? ''
      : `<p class="soft">Communities were found without knowing the tree (Louvain: ${grouped(communities.communities)} of two users and more, modularity ${rounded(communities.modularity, 3)}). Of those that fit into a segment: how many are whole in one, and how much of their weight is in the segment that has most of it.</p>`;
  const head = `<tr>${names.join('')}</tr><tr>${heads.join('')}</tr>`;
  return `<h2>Level by level</h2>${table(rows, head)}${audit}`;
}

function tieTable({ ties, badLines = 0 }: Reported): string {
  const { given, self, repeated, oneWay, light, hubUsers, hubTies, kept } = ties;
  const rows = [
    ['given', given],
    ['to oneself, dropped', self],
    ['repeated, added to another between the same two', repeated],
    ['one way, dropped', oneWay],
    ['light, dropped', light],
    [`of hubs (${grouped(hubUsers)}), dropped`, hubTies],
    ['kept', kept],
  ] as const;
  const lines = rows.map(([name, count]) => {
    const share = given === 0 ? 0 : count / given;
    return `<tr><th>${name}</th><td>${grouped(count)}</td><td>${percent(share)}</td></tr>`;
  });
  const skipped = badLines === 0 ? '' : `<p class="soft">${grouped(badLines)} bad lines were skipped.</p>`;
  return `<h2>What became of the ties</h2>${table(lines)}${skipped}`;
}

function refreshTable(refresh: RefreshReport): string {
  const { previousVersion, moveMax, usersMoved, usersMovedShare, weightMovedShare, balanceGiven } = refresh;
  const rows = [
    ['in both trees', `${grouped(refresh.usersKept)} users`],
    ['moved to another bucket', `${grouped(usersMoved)} of them`],
    ['share of users moved', `${percent(usersMovedShare)} of ${percent(moveMax)} allowed`],
    ['share of weight moved', `${percent(weightMovedShare)} of ${percent(moveMax)} allowed`],
    ['new', `${grouped(refresh.usersPlaced)} users`],
    ['gone', `${grouped(refresh.usersGone)} users`],
    [
      'balance given',
      balanceGiven === 0 ? 'none' : `${times(balanceGiven)} the even share, which the cap could not mend`,
    ],
  ];
  const lines = rows.map(([name, value]) => `<tr><th>${name}</th><td>${value}</td></tr>`);
  return `<h2>Against the tree before</h2><p class="soft">${previousVersion}</p>${table(lines)}`;
}

function missPlot({ datacenters, requests, curve }: NonNullable<TreeReport['cache']>): string {
  const title = `Cache misses in ${datacenters} datacenters, by how users are routed`;
  const names = curve.map(({ cacheShare }) => `${(100 * cacheShare).toFixed(1)} %`);
  const ways = ['random', 'hash', 'tree'] as const;
  const lines = [...ways].reverse().map((name) => ({ name, values: curve.map(({ missRate }) => missRate[name]) }));
  const rows = curve.map(({ missRate }, i) => {
    const { hash, tree } = missRate;
    const spared = hash === 0 ? '-' : percent(1 - tree / hash);
    return `<tr><td>${names[i]}</td>${ways.map((way) => `<td>${percent(missRate[way])}</td>`).join('')}<td>${spared}</td></tr>`;
  });
  const heads = ['cache', 'at random', 'by a hash', 'by the tree', 'misses of the hash spared'];
  const model = `<p class="soft">Cache: items that one holds, of all. ${grouped(requests)} requests, after as many that warm the caches.</p>`;
  const head = `<tr>${heads.map((name) => `<th>${name}</th>`).join('')}</tr>`;
  return `<h2>${title}</h2>${sharePlot(title, [{ of: 'cache', names }], lines)}${model}${table(rows, head)}`;
}

/** Where it is wider than the window it scrolls, and not the page. */
function table(rows: readonly string[], head = ''): string {
  const top = head === '' ? '' : `<thead>${head}</thead>`;
  return `<div class="scroll"><table>${top}<tbody>${rows.join('')}</tbody></table></div>`;
}

function percentOrNone(share: number | null): string {
  return share === null ? '-' : percent(share);
}

function times(factor: number): string {
  return `${rounded(factor, 3)} x`;
}

/** Of any unit, small or large. */
function decimal(value: number): string {
  return Number.isInteger(value) || value >= 1000 ? grouped(Math.round(value)) : `${Number(value.toPrecision(4))}`;
}

function grouped(count: number): string {
  return `${count}`.replace(/\B(?=(\d{3})+$)/g, ',');
}
