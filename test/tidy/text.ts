/** What no file may hold, whatever it is for. Words a rule looks for are put together from parts here, so that this
 *  file passes its own rules. */

import { posix } from 'node:path';
import ts from 'typescript';
import { type Finding, findingAt, type RepositoryFile, type Rule, walk } from './repository.ts';
import { isTest, isToolConfig, roomOf } from './rooms.ts';

const linesMax = 600;
const hole = ['a', 'ny'].join('');
const later = ['TO', 'DO'].join('');
const silence = (what: string): string => ['@ts', what].join('-');
const machinePath = ['', 'work', 'main'].join('/');
const registryHost = ['registry', 'npmjs', 'org'].join('.');

export const textRules: readonly Rule[] = [
  {
    name: 'the top level holds what the design names and nothing else',
    check: checkTopLevel,
    caught: [{ 'scripts/x.sh': '' }, { 'notes.md': '' }, { 'src/a.ts': '' }, { 'main.ts': '' }],
    allowed: [
      {
        'runtime/a.ts': '',
        'README.md': '',
        '.ci/run': '',
        'tsconfig.build.json': '',
        'vite.config.ts': '',
        'knip.json': '',
      },
    ],
  },
  {
    name: 'types have no holes and warnings are not silenced',
    check: checkHoles,
    caught: [
      { 'runtime/a.ts': `let x: ${hole};` },
      { 'test/a.test.ts': `const x = y as ${hole};` },
      { 'config/a.ts': `// ${silence('ignore')}\nx();` },
      { 'config/a.ts': `// ${silence('expect-error')}\nx();` },
      { 'test/a.test.ts': `// ${silence('nocheck')}` },
      { 'pipeline/console/a.tsx': `// ${['biome', 'ignore'].join('-')} lint: no` },
    ],
    allowed: [
      { 'test/a.test.ts': `// ${silence('expect-error')} an edge is not a datacenter\nf(x);` },
      { 'runtime/a.ts': `// not ${hole}\nconst text = '${hole}'; let x: unknown;` },
    ],
  },
  {
    name: 'nothing is left for later',
    check: checkLeftOpen,
    caught: [
      { 'runtime/a.ts': `// ${later}: more` },
      { 'README.md': `one\n${['FIX', 'ME'].join('')}` },
      { '.ci/run': `# ${['XX', 'X'].join('')}` },
    ],
    allowed: [{ 'README.md': 'todos, a XXXL shirt, hacksaws' }],
  },
  {
    name: 'no test is switched off or runs alone',
    check: checkTests,
    caught: ['skip', 'only', 'todo'].flatMap((word) => [
      { 'test/a.test.ts': `test.${word}('x', () => {});` },
      { 'test/a.test.ts': `describe.${word}('x', () => {});` },
    ]),
    allowed: [{ 'test/a.test.ts': "test.skipIf(!data)('x', (t) => { if (!y) t.skip('no data'); });" }],
  },
  {
    name: `no source is longer than ${linesMax} lines`,
    check: checkLength,
    caught: [
      { 'runtime/a.ts': 'x;\n'.repeat(linesMax + 1) },
      { 'pipeline/console/page.css': '\n'.repeat(linesMax + 1) },
    ],
    allowed: [{ 'runtime/a.ts': 'x;\n'.repeat(linesMax), 'package-lock.json': '\n'.repeat(linesMax + 1) }],
  },
  {
    name: 'every source says at its top what it is about',
    check: checkHeaders,
    caught: [{ 'runtime/a.ts': 'export const a = 1;' }, { 'pipeline/cli/a.ts': '// one line\nexport const a = 1;' }],
    allowed: [
      { 'runtime/a.ts': '/** A number. */\nexport const a = 1;' },
      { 'pipeline/cli/main.ts': '#!/usr/bin/env node\n/** The program. */\n' },
    ],
  },
  {
    name: 'no path of one machine and no registry host is written down',
    check: checkPlaces,
    caught: [
      { 'README.md': `see ${machinePath}/x` },
      { 'runtime/a.ts': `const home = '${['', 'home', 'me'].join('/')}';` },
      { '.ci/run': `cp x ${['', 'tmp', 'x'].join('/')}` },
      { Dockerfile: `WORKDIR ${['', 'root', 'x'].join('/')}` },
      { '.npmrc': `@x:resolved=https://${registryHost}/` },
      { 'package-lock.json': `"resolved": "https://${registryHost}/x"` },
      { '.ci/run': ['deb', 'debian', 'org'].join('.') },
    ],
    allowed: [
      {
        'README.md': 'docs/work/flow, ./tmp/x, $dir/tmp/x, ~/home/x, https://example.org/work/x, /var/lib/taiji, /work',
      },
    ],
  },
  {
    name: 'links between documents lead somewhere',
    check: checkLinks,
    caught: [
      { 'README.md': 'see [this](docs/gone.md)' },
      { 'docs/a.md': '![picture](flow.svg)', 'flow.svg': '' },
      { 'README.md': '[part](docs/b.md#part)' },
    ],
    allowed: [
      {
        'docs/a.md': '[up](../README.md#part), [folder](decisions), [out](https://example.org), [here](#x)',
        'README.md': '',
        'docs/decisions/a.md': '',
      },
    ],
  },
];

function checkTopLevel(files: readonly RepositoryFile[]): Finding[] {
  const folders = /^(?:runtime|pipeline|bucketizer|config|test|docs|\..+)$/;
  const names =
    /^(?:\..+|package(?:-lock)?\.json|tsconfig[a-z.]*\.json|(?:biome|knip)\.json|[a-z]+\.config\.(?:ts|js|mjs)|(?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|LICENSE|NOTICE|Dockerfile)$/;
  const seen = new Set<string>();
  const findings: Finding[] = [];
  for (const { path } of files) {
    const [top, ...rest] = path.split('/');
    if (seen.has(top!) || (rest.length > 0 ? folders : names).test(top!)) continue;
    seen.add(top!);
    findings.push({
      path,
      line: 1,
      found: `${top} stands at the top level`,
      mend: 'put it into a room: the top level is fixed',
    });
  }
  return findings;
}

function checkHoles(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.ast) continue;
    walk(file.ast, (node) => {
      if (node.kind !== ts.SyntaxKind.AnyKeyword) return;
      findings.push(findingAt(file, node, `has the type ${hole}`, 'say what it is, or unknown and a schema'));
    });
    const silenced = isTest(file.path) ? 'ignore|nocheck' : 'ignore|nocheck|expect-error';
    const words = new RegExp(`@ts-(?:${silenced})\\b|\\b${['biome', 'ignore'].join('-')}\\b`);
    findings.push(...linesWith(file, words, 'silences a check', 'mend what the check found'));
  }
  return findings;
}

function checkLeftOpen(files: readonly RepositoryFile[]): Finding[] {
  const words = new RegExp(
    `\\b(?:${later}|${['FIX', 'ME'].join('')}|${['XX', 'X'].join('')}|${['HA', 'CK'].join('')})\\b`,
  );
  return files
    .filter(({ path }) => !path.endsWith('package-lock.json'))
    .flatMap((file) =>
      linesWith(file, words, 'leaves something for later', 'do it, or say in the README what is not done'),
    );
}

function checkTests(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.ast || !isTest(file.path)) continue;
    walk(file.ast, (node) => {
      if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return;
      if (
        !/^(?:test|it|describe|suite|bench)$/.test(node.expression.text) ||
        !/^(?:skip|only|todo)$/.test(node.name.text)
      )
        return;
      findings.push(
        findingAt(file, node, `has ${node.getText()}`, 'let it run, remove it, or use skipIf with a reason'),
      );
    });
  }
  return findings;
}

function checkLength(files: readonly RepositoryFile[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
    if (!/\.(?:tsx?|m?js|css|sh)$|^\.ci\//.test(path) || lines <= linesMax) return [];
    return [{ path, line: linesMax + 1, found: `has ${lines} lines`, mend: `split it by idea, ${linesMax} at most` }];
  });
}

function checkHeaders(files: readonly RepositoryFile[]): Finding[] {
  return files.flatMap(({ path, text, ast }) => {
    if (!ast || !roomOf(path) || isToolConfig(path) || /^(?:#![^\n]*\n)?\s*\/\*\*/.test(text)) return [];
    return [
      { path, line: 1, found: 'has no header', mend: 'begin with /** the idea, its source, and what was declined */' },
    ];
  });
}

function checkPlaces(files: readonly RepositoryFile[]): Finding[] {
  const path = /(?<![\w.~$}/)-])\/(?:work|tmp|root|home|Users)\/[\w.]/;
  const hosts = [
    ['registry', 'npmjs', 'org'],
    ['registry', 'yarnpkg', 'com'],
    ['pypi', 'org'],
    ['files', 'pythonhosted', 'org'],
    ['deb', 'debian', 'org'],
    ['proxy', 'golang', 'org'],
    ['crates', 'io'],
    ['repo1', 'maven', 'org'],
  ];
  const host = new RegExp(`\\b(?:${hosts.map((parts) => parts.join('\\.')).join('|')})\\b`);
  return files.flatMap((file) => [
    ...linesWith(
      file,
      path,
      'names a path of one machine',
      'use a relative path, an environment variable or os.tmpdir()',
    ),
    ...linesWith(file, host, 'names a registry host', "leave it to the client's settings"),
  ]);
}

function checkLinks(files: readonly RepositoryFile[]): Finding[] {
  const known = new Set(
    files.flatMap(({ path }) => path.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'))),
  );
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) =>
        [...line.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].flatMap(([, link]) => {
          if (/^[a-z]+:/.test(link!) || known.has(posix.join(posix.dirname(path), link!))) return [];
          return [
            {
              path,
              line: index + 1,
              found: `links to ${link}, which is not there`,
              mend: 'name a file of the project',
            },
          ];
        }),
      ),
    );
}

function linesWith({ path, text }: RepositoryFile, pattern: RegExp, found: string, mend: string): Finding[] {
  return text.split('\n').flatMap((line, index) => {
    const match = pattern.exec(line);
    return match ? [{ path, line: index + 1, found: `${found} (${match[0].slice(0, 40)})`, mend }] : [];
  });
}
