/** What the core may not say: clock, chance, environment, and arithmetic or sorting that differ between machines.
 *  Reads syntax, not types: a global counts as used where a file names it and declares no such name itself. */

import ts from 'typescript';
import { type Finding, findingAt, type RepositoryFile, type Rule, walk } from './repository.ts';
import { isConsole, isCore, isTest, isToolConfig, roomOf } from './rooms.ts';

export const effectRules: readonly Rule[] = [
  {
    name: 'the core has no clock, chance, environment, timer or network: it is told',
    check: checkGlobals,
    caught: [
      'const t = Date.now();',
      'const clock = Date.now;',
      "const t = Date['now']();",
      'const t = new Date();',
      'const t = new Date;',
      'const t = Date();',
      'const { now } = Date;',
      'const C = Date; const t = new C();',
      'const t = performance.now();',
      'const r = Math.random();',
      'const { random } = Math;',
      'const M = Math;',
      'const home = process.env.HOME;',
      'setTimeout(() => {}, 5);',
      'const stop = setInterval(tick, 5);',
      'const id = crypto.randomUUID();',
      'const p = globalThis.process;',
      "const r = await fetch('x');",
      "console.log('hello');",
      'const here = import.meta.url;',
      'const handed = { process };',
    ].map(inCore),
    allowed: [
      inCore('const t = new Date(0).toISOString(); const u = Date.parse(t); const v = Date.UTC(2026, 1);'),
      inCore('function f(process: () => number) { return process(); }'),
      inCore('const process = 1; const x = process + 1;'),
      inCore('const x = { process: 1, fetch: 2 }; const y = x.process + x.fetch;'),
      inCore("// Date.now()\nconst text = 'Math.random() and process.env';"),
      inCore('const isTime = (x: unknown): x is Date => x instanceof Date;'),
      inCore('const x = Math.sqrt(2) + Math.max(1, 2);'),
      { 'runtime/io/clock.ts': 'export const nowMs = () => Date.now();' },
      { 'pipeline/cli/main.ts': 'process.exitCode = 1;' },
      { 'pipeline/console/page.tsx': 'const t = Date.now(); setInterval(() => {}, 1000);' },
      { 'test/a.test.ts': 'const t = Date.now();' },
    ],
  },
  {
    name: 'no power operator and no locale: both differ between Node versions and machines',
    check: checkPortability,
    caught: [
      'const x = 2 ** 3;',
      'let x = 2; x **= 3;',
      'const x = Math.pow(2, 3);',
      "const x = Math['pow'](2, 3);",
      'const { pow } = Math;',
      'names.sort((a, b) => a.localeCompare(b));',
      'const x = (5).toLocaleString();',
      "const x = 'I'.toLocaleLowerCase();",
      'const order = new Intl.Collator();',
    ]
      .map(inCore)
      .concat([
        { 'pipeline/cli/a.ts': 'const x = 2 ** 3;' },
        { 'config/load.ts': "const x = 'a'.localeCompare('b');" },
      ]),
    allowed: [
      inCore("const square = (x: number) => x * x; const a = 1 << 3; // 2 ** 3\nconst s = '**';"),
      inCore('const x = { pow: 1 }.pow;'),
      { 'pipeline/console/a.tsx': 'const x = (5).toLocaleString();' },
      { 'test/a.test.ts': 'const x = 2 ** 3;' },
    ],
  },
  {
    name: 'what is sorted has an order: .sort() alone sorts numbers by their digits',
    check: checkSorts,
    caught: ['values.sort();', 'const x = [10, 9].sort();', 'const x = [...values].toSorted();', 'values?.sort();'].map(
      inCore,
    ),
    allowed: [
      inCore('values.sort((a, b) => a - b); names.toSorted(compareIds);'),
      inCore('const x = new Float64Array(3).sort(); const y = Uint32Array.from([2, 1]).sort();'),
      inCore('const x = new Float64Array(3); x.sort(); function f(y: Uint32Array) { return y.slice().sort(); }'),
      inCore('function f(counts: Int32Array | Float64Array) { counts.sort(); }'),
    ],
  },
];

const forbiddenGlobals = new Set([
  ...['process', 'performance', 'crypto', 'console', 'global', 'globalThis', 'window', 'self', 'navigator'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'queueMicrotask'],
  ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest', 'BroadcastChannel', 'Worker'],
]);
const tell = 'pass it in as an argument (nowMs, random, ...) from an io/ or cli file';

function checkGlobals(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.ast || !isCore(file.path)) continue;
    const declared = declaredNames(file.ast);
    walk(file.ast, (node) => {
      const found = effectOf(node, declared);
      if (found) findings.push(findingAt(file, node, found, tell));
    });
  }
  return findings;
}

function effectOf(node: ts.Node, declared: ReadonlySet<string>): string | null {
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword)
    return 'asks import.meta where it runs';
  if (!ts.isIdentifier(node) || !isValueUse(node) || declared.has(node.text)) return null;
  if (forbiddenGlobals.has(node.text)) return `uses ${node.text}`;
  if (node.text === 'Math') {
    const member = memberOf(node);
    return member === null ? 'takes Math apart' : member === 'random' ? 'draws from Math.random' : null;
  }
  if (node.text === 'Date') {
    const { parent } = node;
    if (ts.isNewExpression(parent) && parent.expression === node) {
      return parent.arguments?.length ? null : 'reads the clock with new Date()';
    }
    if (ts.isBinaryExpression(parent) && parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword) return null;
    const member = memberOf(node);
    return member === 'parse' || member === 'UTC' ? null : `reads the clock through Date${member ? `.${member}` : ''}`;
  }
  return null;
}

function checkPortability(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.ast || !roomOf(file.path) || isTest(file.path) || isConsole(file.path) || isToolConfig(file.path))
      continue;
    walk(file.ast, (node) => {
      const found = unportable(node);
      if (found) findings.push(findingAt(file, node, found.use, found.mend));
    });
  }
  return findings;
}

function unportable(node: ts.Node): { readonly use: string; readonly mend: string } | null {
  const multiply = 'multiply it out, shift, or use Math.exp and Math.log where the last bit is rounded away';
  const compare = 'compare by code unit (compareIds in config/ids.ts) and format by hand';
  if (node.kind === ts.SyntaxKind.AsteriskAsteriskToken) return { use: 'uses **', mend: multiply };
  if (node.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return { use: 'uses **=', mend: multiply };
  if (!ts.isIdentifier(node)) return null;
  if (node.text === 'Math' && isValueUse(node) && takes(node, 'pow')) return { use: 'uses Math.pow', mend: multiply };
  if (node.text === 'Intl' && isValueUse(node)) return { use: 'uses Intl', mend: compare };
  const isMember = ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
  if (isMember && /^(localeCompare|toLocale\w+)$/.test(node.text)) return { use: `uses ${node.text}`, mend: compare };
  return null;
}

/** A receiver is let pass where the file itself shows it to be a typed array; a list of strings is asked for its
 *  comparator too, so that the order is written down. */
function checkSorts(files: readonly RepositoryFile[]): Finding[] {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!file.ast || !roomOf(file.path) || isTest(file.path) || isConsole(file.path)) continue;
    const typed = typedArrayNames(file.ast);
    walk(file.ast, (node) => {
      if (!ts.isCallExpression(node) || node.arguments.length > 0) return;
      if (!ts.isPropertyAccessExpression(node.expression) || !/^(sort|toSorted)$/.test(node.expression.name.text))
        return;
      if (showsTypedArray(node.expression.expression, typed)) return;
      findings.push(
        findingAt(
          file,
          node.expression.name,
          `calls .${node.expression.name.text}() without an order`,
          'pass a comparator: (a, b) => a - b, or compareIds',
        ),
      );
    });
  }
  return findings;
}

const typedArray = /^(?:Int|Uint|Float)(?:8|16|32|64)(?:Clamped)?Array$/;

function showsTypedArray(receiver: ts.Expression, typed: ReadonlySet<string>): boolean {
  if (ts.isIdentifier(receiver)) return typed.has(receiver.text);
  if (ts.isNewExpression(receiver)) return isTypedArrayName(receiver.expression);
  if (ts.isCallExpression(receiver) && ts.isPropertyAccessExpression(receiver.expression)) {
    const { expression, name } = receiver.expression;
    if (/^(from|of)$/.test(name.text) && isTypedArrayName(expression)) return true;
    return /^(slice|subarray|fill|map|filter)$/.test(name.text) && showsTypedArray(expression, typed);
  }
  return false;
}

function typedArrayNames(ast: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  walk(ast, (node) => {
    if (!(ts.isVariableDeclaration(node) || ts.isParameter(node)) || !ts.isIdentifier(node.name)) return;
    const types = node.type ? (ts.isUnionTypeNode(node.type) ? node.type.types : [node.type]) : [];
    const byType =
      types.length > 0 && types.every((type) => ts.isTypeReferenceNode(type) && isTypedArrayName(type.typeName));
    if (byType || (node.initializer && showsTypedArray(node.initializer, names))) names.add(node.name.text);
  });
  return names;
}

function isTypedArrayName(node: ts.Node): boolean {
  return ts.isIdentifier(node) && typedArray.test(node.text);
}

/** `pow` of `Math.pow`, `Math['pow']` or `{ pow } = Math`. */
function takes(node: ts.Identifier, member: string): boolean {
  if (memberOf(node) === member) return true;
  const { parent } = node;
  if (!ts.isVariableDeclaration(parent) || !ts.isObjectBindingPattern(parent.name)) return false;
  return parent.name.elements.some(({ name, propertyName }) => (propertyName ?? name).getText() === member);
}

/** Null where the object is handed on whole, or asked for a computed member. */
function memberOf(node: ts.Identifier): string | null {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) return parent.name.text;
  if (
    ts.isElementAccessExpression(parent) &&
    parent.expression === node &&
    ts.isStringLiteralLike(parent.argumentExpression)
  ) {
    return parent.argumentExpression.text;
  }
  return null;
}

/** Neither the name of a member, a key or a label, nor part of a type. */
function isValueUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  if ((ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) && parent.propertyName === node) return false;
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false;
  if (ts.isPropertySignature(parent) || ts.isMethodSignature(parent) || ts.isMethodDeclaration(parent)) return false;
  if (ts.isPropertyDeclaration(parent) && parent.name === node) return false;
  for (let at: ts.Node = parent; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isTypeNode(at) && !ts.isExpressionWithTypeArguments(at)) return false;
    if (ts.isExpression(at) || ts.isStatement(at)) break;
  }
  return true;
}

function declaredNames(ast: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  walk(ast, (node) => {
    const isDeclaration =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node) ||
      ts.isNamespaceImport(node);
    if (isDeclaration && node.name && ts.isIdentifier(node.name)) names.add(node.name.text);
  });
  return names;
}

function inCore(text: string): Readonly<Record<string, string>> {
  return { 'runtime/example.ts': text };
}
