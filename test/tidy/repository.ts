/** The project's own files as data, and what a rule says about them. A rule is a pure function of the files it is
 *  given, so that each can be shown a few lines of invented source and be proved able to see. Built on the TypeScript
 *  compiler's parser and not on regular expressions: a word in a comment or a string is not a use. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { extname, join, posix } from 'node:path';
import ts from 'typescript';

export interface RepositoryFile {
  readonly path: string; // from the project's root, with slashes
  readonly text: string;
  readonly ast: ts.SourceFile | null; // null: not TypeScript
}

export interface Finding {
  readonly path: string;
  readonly line: number; // from 1
  readonly found: string;
  readonly mend: string;
}

/** `caught` and `allowed` are small repositories, path to text: the rule must say something about every one of the
 *  first and nothing about any of the second. */
export interface Rule {
  readonly name: string; // what must hold
  readonly check: (files: readonly RepositoryFile[]) => Finding[];
  readonly caught: readonly Example[];
  readonly allowed: readonly Example[];
}

export type Example = Readonly<Record<string, string>>;

/** Everything git tracks or would track; without git (an unpacked archive) it throws: this test is for checkouts. */
export function readRepository(root: string): RepositoryFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return [...new Set(listed.split('\0'))]
    .filter((path) => path !== '' && existsSync(join(root, path)) && statSync(join(root, path)).isFile())
    .sort(byCodeUnit)
    .map((path) => repositoryFile(path, readText(join(root, path))));
}

export function repositoryOf(example: Example): RepositoryFile[] {
  return Object.entries(example).map(([path, text]) => repositoryFile(path, text));
}

export function describeFindings(findings: readonly Finding[]): string[] {
  return findings.map(({ path, line, found, mend }) => `${path}:${line}: ${found}; ${mend}`);
}

export function findingAt(file: RepositoryFile, node: ts.Node, found: string, mend: string): Finding {
  return { path: file.path, line: lineOf(file.ast!, node.getStart(file.ast!)), found, mend };
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

export interface Import {
  readonly specifier: string;
  readonly names: readonly string[] | null; // null: the whole module, or not known
  readonly typeOnly: boolean;
  readonly node: ts.Node;
}

/** Static, re-exporting, dynamic and type imports, and `require`. */
export function importsOf(file: RepositoryFile): Import[] {
  const imports: Import[] = [];
  if (!file.ast) return imports;
  walk(file.ast, (node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const named = bindings && ts.isNamedImports(bindings) ? bindings.elements : null;
      imports.push({
        specifier: node.moduleSpecifier.text,
        names: named && !clause?.name ? named.map((element) => (element.propertyName ?? element.name).text) : null,
        typeOnly:
          clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
          (!clause?.name && named !== null && named.length > 0 && named.every((element) => element.isTypeOnly)),
        node,
      });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, names: null, typeOnly: node.isTypeOnly, node });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) {
        imports.push({ specifier: literal.text, names: null, typeOnly: true, node });
      }
    } else if (ts.isCallExpression(node) && isImportCall(node)) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteralLike(argument)) {
        imports.push({ specifier: argument.text, names: null, typeOnly: false, node });
      }
    }
  });
  return imports;
}

/** The path a relative specifier names, null for packages. */
export function relativeTarget(from: string, specifier: string): string | null {
  return specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), specifier)) : null;
}

export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `import(...)` or `require(...)`. */
export function isImportCall(node: ts.CallExpression): boolean {
  return (
    node.expression.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(node.expression) && node.expression.text === 'require')
  );
}

function repositoryFile(path: string, text: string): RepositoryFile {
  const isTypeScript = /\.tsx?$/.test(path) && !path.endsWith('.d.ts');
  return { path, text, ast: isTypeScript ? parse(path, text) : null };
}

function parse(path: string, text: string): ts.SourceFile {
  const kind = extname(path) === '.tsx' ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, kind);
}

/** Empty for what is not text (a NUL within the first 8,000 bytes, as git has it). */
function readText(path: string): string {
  const bytes = readFileSync(path);
  return bytes.subarray(0, 8000).includes(0) ? '' : bytes.toString('utf8');
}

function lineOf(ast: ts.SourceFile, position: number): number {
  return ast.getLineAndCharacterOfPosition(position).line + 1;
}
