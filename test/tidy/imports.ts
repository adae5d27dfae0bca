/** Who may import whom: one way between rooms, no cycles, core free of shell, each solver and graph library in one file. */

import { isBuiltin } from 'node:module';
import ts from 'typescript';
import {
  byCodeUnit,
  type Finding,
  findingAt,
  type Import,
  importsOf,
  isImportCall,
  type RepositoryFile,
  type Rule,
  relativeTarget,
  walk,
} from './repository.ts';
import { isConsole, isCore, isShell, isTest, isToolConfig, roomOf } from './rooms.ts';

export const importRules: readonly Rule[] = [
  {
    name: 'every source belongs to a room',
    check: checkPlaces,
    caught: [
      { 'pipeline/helpers/x.ts': '' },
      { 'pipeline/stray.ts': '' },
      { 'runtime/utils.ts': '' },
      { 'config/types.ts': '' },
    ],
    allowed: [{ 'pipeline/epoch.ts': '', 'pipeline/table/pace.ts': '', 'test/anything/types-hold.ts': '' }],
  },
  {
    name: 'imports go one way between rooms',
    check: checkDirection,
    caught: [
      { 'config/a.ts': "import { x } from '../runtime/x.ts';", 'runtime/x.ts': '' },
      { 'config/a.ts': "import type { X } from '../pipeline/table/x.ts';", 'pipeline/table/x.ts': '' },
      { 'bucketizer/a.ts': "export * from '../runtime/x.ts';", 'runtime/x.ts': '' },
      { 'runtime/a.ts': "type A = import('../bucketizer/x.ts').X;", 'bucketizer/x.ts': '' },
      { 'pipeline/table/a.ts': "import { x } from '../epoch.ts';", 'pipeline/epoch.ts': '' },
      { 'pipeline/replay/a.ts': "const x = await import('../server/x.ts');", 'pipeline/server/x.ts': '' },
      { 'pipeline/publish/a.ts': "import { x } from '../replay/x.ts';", 'pipeline/replay/x.ts': '' },
      { 'pipeline/server/a.ts': "import { x } from '../cli/x.ts';", 'pipeline/cli/x.ts': '' },
      { 'runtime/a.ts': "import { x } from '../test/x.ts';", 'test/x.ts': '' },
      { 'pipeline/cli/a.ts': "import { x } from '../console/x.ts';", 'pipeline/console/x.ts': '' },
      { 'pipeline/console/a.tsx': "import { x } from '../server/x.ts';", 'pipeline/server/x.ts': '' },
      { 'runtime/a.ts': "import { x } from './gone.ts';" },
    ],
    allowed: [
      { 'pipeline/table/a.ts': "import { x } from '../../runtime/x.ts';", 'runtime/x.ts': '' },
      { 'pipeline/console/a.tsx': "import type { X } from '../server/x.ts';", 'pipeline/server/x.ts': '' },
      { 'pipeline/console/a.tsx': "import './page.css';", 'pipeline/console/page.css': '' },
      { 'test/a.test.ts': "import { x } from '../pipeline/cli/x.ts';", 'pipeline/cli/x.ts': '' },
    ],
  },
  {
    name: 'no imports go in a circle',
    check: checkCycles,
    caught: [
      { 'config/a.ts': "import { b } from './b.ts';", 'config/b.ts': "import type { A } from './a.ts';" },
      {
        'runtime/a.ts': "export * from './lp/b.ts';",
        'runtime/lp/b.ts': "type C = import('../c.ts').C;",
        'runtime/c.ts': "const a = await import('./a.ts');",
      },
      { 'config/self.ts': "import { x } from './self.ts';" },
      { 'test/a.ts': "import { b } from './b.ts';", 'test/b.ts': "import { a } from './a.ts';" },
    ],
    allowed: [
      {
        'config/a.ts': "import { b } from './b.ts'; import { c } from './c.ts';",
        'config/b.ts': "import { c } from './c.ts';",
        'config/c.ts': '',
      },
    ],
  },
  {
    name: 'the core imports no effects: Node, express, prom-client, commander and the like only in io, cli and config/load.ts',
    check: checkEffectImports,
    caught: [
      { 'runtime/a.ts': "import { readFileSync } from 'node:fs';" },
      { 'runtime/a.ts': "import fs from 'fs';" },
      { 'config/world.ts': "import type { Readable } from 'node:stream';" },
      { 'bucketizer/a.ts': "import { createHash, randomUUID } from 'node:crypto';" },
      { 'bucketizer/a.ts': "import crypto from 'node:crypto';" },
      { 'pipeline/server/a.ts': "import express from 'express';" },
      { 'pipeline/server/a.ts': "import { Counter } from 'prom-client';" },
      { 'pipeline/epoch.ts': "const pino = await import('pino');" },
      { 'pipeline/table/a.ts': "const lock = require('proper-lockfile');" },
      { 'pipeline/replay/a.ts': "import { read } from './io/read.ts';", 'pipeline/replay/io/read.ts': '' },
      { 'runtime/a.ts': "import { readWorld } from '../config/load.ts';", 'config/load.ts': '' },
      { 'runtime/a.ts': 'const name = "fs"; const fs = await import(name);' },
      { 'pipeline/console/a.tsx': "import { join } from 'node:path';" },
    ],
    allowed: [
      { 'runtime/a.ts': "import assert from 'node:assert/strict'; import { createHash } from 'node:crypto';" },
      { 'runtime/a.ts': "import type { World } from '../config/load.ts';", 'config/load.ts': '' },
      { 'config/schemas/policy.json': '{ "import": "require(x)" }' },
      { 'config/load.ts': "import { readFileSync } from 'node:fs'; import { parse } from 'yaml';" },
      { 'pipeline/server/io/http.ts': "import express from 'express';" },
      {
        'pipeline/cli/main.ts': "import { Command } from 'commander'; import { r } from '../replay/io/r.ts';",
        'pipeline/replay/io/r.ts': '',
      },
      { 'runtime/a.ts': "import { z } from 'zod'; import highs from 'highs';" },
      { 'pipeline/console/a.tsx': "import { render } from 'preact'; import uPlot from 'uplot';" },
    ],
  },
  {
    name: 'glpk.js, highs and graphology are each named in one file, so that each can be taken out',
    check: checkSingletons,
    caught: [
      {
        'runtime/lp/a.ts': "import GLPK from 'glpk.js/node';",
        'runtime/lp/b.ts': "import type { LP } from 'glpk.js';",
      },
      { 'runtime/lp/a.ts': "await import('highs');", 'runtime/io/b.ts': "import highs from 'highs';" },
      {
        'bucketizer/a.ts': "import G from 'graphology';",
        'bucketizer/b.ts': "import l from 'graphology-communities-louvain';",
      },
    ],
    allowed: [
      { 'bucketizer/a.ts': "import G from 'graphology'; import l from 'graphology-communities-louvain';" },
      { 'runtime/lp/a.ts': "import highs from 'highs';", 'test/peer.ts': "import highs from 'highs';" },
    ],
  },
  {
    name: 'building a tree starts without the packages it may not need: they took longer to load than Node itself',
    check: checkLightStart,
    caught: [
      { 'pipeline/cli/bucketize.ts': "import { z } from 'zod';" },
      {
        'pipeline/cli/bucketize.ts': "import { a } from '../../config/a.ts';",
        'config/a.ts': "export * from './b.ts';",
        'config/b.ts': "import { z } from 'zod';",
      },
      { 'bucketizer/io/bisect-worker.ts': "import { Command } from 'commander';" },
    ],
    allowed: [
      {
        'pipeline/cli/bucketize.ts':
          "import { Command } from 'commander'; import { type A, a } from '../../config/a.ts';",
        'config/a.ts': "import type { z } from 'zod'; import { b } from './b.ts'; await import('yaml');",
        'config/b.ts': "import { randomBytes } from 'node:crypto';",
      },
      { 'pipeline/cli/plan.ts': "import { z } from 'zod';" },
    ],
  },
];

/** What may be loaded before the work of these entries begins. */
const lightEntries: ReadonlyMap<string, readonly string[]> = new Map([
  ['pipeline/cli/bucketize.ts', ['commander']],
  ['bucketizer/io/bisect-worker.ts', []],
]);

/** Packages that compute and touch nothing. Anything else an npm install brings counts as an effect until listed here. */
const purePackages = new Set(['zod', 'yaml', 'highs', 'glpk.js', 'graphology', 'graphology-communities-louvain']);
const browserPackages = new Set(['preact', 'uplot']);
const namedOnce = ['glpk.js', 'highs', 'graphology'] as const;

function checkPlaces(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const { path, ast } of files) {
    if (!ast || isTest(path) || isToolConfig(path)) continue;
    if (!roomOf(path) && /^(config|bucketizer|runtime|pipeline)\//.test(path)) {
      findings.push({
        path,
        line: 1,
        found: 'is in no room of the design',
        mend: 'move it, or add the room to test/tidy/rooms.ts and write down why in docs/decisions',
      });
    }
    if (/\/(types|utils?|helpers?|common|misc)\.tsx?$/.test(path)) {
      findings.push({
        path,
        line: 1,
        found: 'is named after no idea',
        mend: 'put each type and function into the file that makes its values',
      });
    }
  }
  return findings;
}

function checkDirection(files: readonly RepositoryFile[]): Finding[] {
  const known = new Set(files.map(({ path }) => path));
  const findings: Finding[] = [];
  for (const file of files) {
    const from = roomOf(file.path);
    for (const imported of importsOf(file)) {
      const target = relativeTarget(file.path, imported.specifier);
      if (target === null) continue;
      if (!known.has(target.replace(/\?.*$/, ''))) {
        findings.push(
          findingAt(
            file,
            imported.node,
            `imports ${target}, which is not there`,
            'name a file that is, with its extension',
          ),
        );
        continue;
      }
      if (!from || isToolConfig(file.path)) continue;
      const to = roomOf(target);
      if (to === from) continue;
      if (isConsole(file.path) && imported.typeOnly) continue;
      if (to && from.mayImport.includes(to.name)) continue;
      findings.push(
        findingAt(
          file,
          imported.node,
          `${from.name} imports ${target} of ${to?.name ?? 'no room'}`,
          `${from.name} may import ${from.mayImport.join(', ') || 'nothing of ours'}; hand it in as an argument, or move the noun down`,
        ),
      );
    }
  }
  return findings;
}

/** One finding for each knot of files that reach one another: a shortest circle through its first file. */
function checkCycles(files: readonly RepositoryFile[]): Finding[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const targets = new Map<string, string[]>();
  for (const file of files) {
    const paths = importsOf(file).flatMap(({ specifier }) => relativeTarget(file.path, specifier) ?? []);
    targets.set(file.path, [...new Set(paths)].filter((path) => byPath.has(path)).sort(byCodeUnit));
  }
  const findings: Finding[] = [];
  const told = new Set<string>();
  for (const path of [...targets.keys()].sort(byCodeUnit)) {
    if (told.has(path)) continue;
    const circle = shortestWay(targets, path, path);
    if (!circle) continue;
    for (const member of circle) told.add(member);
    const file = byPath.get(path)!;
    const first = importsOf(file).find(({ specifier }) => relativeTarget(path, specifier) === circle[1])!;
    findings.push(
      findingAt(
        file,
        first.node,
        `imports in a circle: ${circle.join(' -> ')}`,
        'move what both need into a file of its own, below them',
      ),
    );
  }
  return findings;
}

/** Breadth first; `[from, ..., to]`, at least one step. */
function shortestWay(targets: ReadonlyMap<string, readonly string[]>, from: string, to: string): string[] | null {
  const cameFrom = new Map<string, string>();
  let frontier = [from];
  while (frontier.length > 0) {
    const next: string[] = [];
    for (const path of frontier) {
      for (const target of targets.get(path) ?? []) {
        if (target === to) {
          const way = [to, path];
          for (let at = path; at !== from; ) {
            at = cameFrom.get(at)!;
            way.push(at);
          }
          return way.reverse();
        }
        if (target === from || cameFrom.has(target)) continue;
        cameFrom.set(target, path);
        next.push(target);
      }
    }
    frontier = next;
  }
  return null;
}

function checkEffectImports(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.ast || isToolConfig(file.path) || !(isCore(file.path) || isConsole(file.path))) continue;
    for (const imported of importsOf(file)) {
      const found = effectOf(file, imported);
      if (found) {
        findings.push(
          findingAt(file, imported.node, found, 'do it in an io/ file beside it and pass in the value or the function'),
        );
      }
    }
    findings.push(...computedImports(file));
  }
  return findings;
}

function effectOf(file: RepositoryFile, { specifier, names, typeOnly }: Import): string | null {
  const target = relativeTarget(file.path, specifier);
  if (target !== null)
    return isShell(target) && !typeOnly && !isConsole(file.path) ? `core imports the shell file ${target}` : null;
  if (isBuiltin(specifier)) {
    const name = specifier.replace(/^node:/, '');
    if (isConsole(file.path)) return `the page imports ${specifier}, which no browser has`;
    if (name === 'assert' || name === 'assert/strict') return null;
    if (name === 'crypto' && names?.length === 1 && names[0] === 'createHash') return null;
    return `core imports ${specifier}${names ? ` { ${names.join(', ')} }` : ''}`;
  }
  const allowed = isConsole(file.path) ? browserPackages : purePackages;
  return allowed.has(packageOf(specifier))
    ? null
    : `core imports the package ${packageOf(specifier)}, not known to be free of effects`;
}

/** `import(name)`: what it brings in cannot be seen here. */
function computedImports(file: RepositoryFile): Finding[] {
  const findings: Finding[] = [];
  walk(file.ast!, (node) => {
    if (!ts.isCallExpression(node) || !isImportCall(node)) return;
    const [argument] = node.arguments;
    if (argument && ts.isStringLiteralLike(argument)) return;
    findings.push(findingAt(file, node, 'imports a name it computes', 'write the name out'));
  });
  return findings;
}

function checkSingletons(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const name of namedOnce) {
    const uses = files
      .filter(({ path }) => !isTest(path))
      .flatMap((file) => {
        const use = importsOf(file).find(({ specifier }) => familyOf(packageOf(specifier)) === name);
        return use ? [{ file, use }] : [];
      });
    for (const { file, use } of uses.slice(1)) {
      findings.push(
        findingAt(
          file,
          use.node,
          `names ${name}, as ${uses[0]!.file.path} does`,
          'go through that file: each of these libraries must be removable',
        ),
      );
    }
  }
  return findings;
}

function checkLightStart(files: readonly RepositoryFile[]): Finding[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const findings: Finding[] = [];
  for (const [entry, allowed] of lightEntries) {
    const reached = new Set([entry]);
    for (const path of reached) {
      const file = byPath.get(path);
      if (file === undefined) continue;
      for (const { specifier, typeOnly, node } of importsOf(file)) {
        if (typeOnly || !(ts.isImportDeclaration(node) || ts.isExportDeclaration(node))) continue;
        const target = relativeTarget(path, specifier);
        if (target !== null) reached.add(target);
        else if (!isBuiltin(specifier) && !allowed.includes(packageOf(specifier))) {
          const found = `is loaded whenever ${entry} is, and loads ${specifier}`;
          findings.push(findingAt(file, node, found, 'move what needs it apart, or import it where it is used'));
        }
      }
    }
  }
  return findings;
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function familyOf(name: string): string {
  return name.startsWith('graphology') ? 'graphology' : name;
}
