/** `taiji validate`: everything people state, checked before it is used. All files are looked at; each bad one gets its
 *  line. Policies are also held against the worlds named beside them. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { parseDocument } from '../../config/document.ts';
import { ConfigError } from '../../config/errors.ts';
import { makeDirectory, readText, writeFileAtomically } from '../../config/io/files.ts';
import { readWorld } from '../../config/load.ts';
import type { Policy } from '../../config/policy.ts';
import { checkPolicyFor } from '../../config/policy-topology.ts';
import { schemaFiles } from '../../config/schema-files.ts';
import type { Topology } from '../../config/topology.ts';
import { worldNotes } from '../../config/world-notes.ts';

interface ValidateOptions {
  readonly world?: string;
  readonly writeSchemas?: string;
  readonly output: 'table' | 'json' | 'yaml';
}

/** What is said of one file. */
interface Finding {
  readonly file: string;
  readonly kind: 'world' | 'policy' | 'server' | 'intent' | null; // null: could not be told
  readonly ok: boolean;
  readonly error: string | null;
  readonly notes: readonly string[]; // legal, and yet probably not meant
}

export function validateCommand(): Command {
  return new Command('validate')
    .description('Check world directories, policies, intents and server files; exit 1 where one is bad')
    .argument('[files...]', 'world directories, and YAML or JSON files told apart by their kind')
    .option('--world <dir>', 'a world to hold the policies against; worlds among FILE count too')
    .option('--write-schemas <dir>', 'write the JSON Schemas of the files, for editors')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['table', 'json', 'yaml']).default('table'))
    .addHelpText(
      'after',
      `
Examples:
  taiji validate policy.yaml
  taiji validate world policy.yaml        the policy is also held against the world's edges and datacenters
  taiji validate -o json policies/*.yaml
  taiji validate --write-schemas schemas`,
    )
    .action((files: string[], options: ValidateOptions) => {
      if (files.length === 0 && options.writeSchemas === undefined) {
        throw new ConfigError(
          'validate: no files are named; name world directories, policies, intents or server files',
        );
      }
      if (options.writeSchemas !== undefined) writeSchemas(options.writeSchemas);
      const findings = validateFiles(files, options.world);
      print(findings, options.output);
      if (findings.some((finding) => !finding.ok)) process.exitCode = 1;
    });
}

function validateFiles(files: readonly string[], worldDir: string | undefined): Finding[] {
  const topologies: Topology[] = worldDir === undefined ? [] : [readWorld(worldDir).topology];
  const policies = new Map<string, Policy>();
  const findings = files.map((file): Finding => {
    let kind: Finding['kind'] = null;
    try {
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
        kind = 'world';
        const world = readWorld(file);
        topologies.push(world.topology);
        return { file, kind, ok: true, error: null, notes: worldNotes(world) };
      }
      const document = parseDocument(readText(file), file);
      if (document.kind === 'policy') policies.set(file, document.policy);
      return { file, kind: document.kind, ok: true, error: null, notes: [] };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { file, kind, ok: false, error: error.message, notes: [] };
    }
  });
  return findings.map((finding) => {
    const policy = policies.get(finding.file);
    return policy === undefined ? finding : againstWorlds(finding, policy, topologies);
  });
}

function againstWorlds(finding: Finding, policy: Policy, topologies: readonly Topology[]): Finding {
  try {
    const notes = topologies.flatMap((topology) => checkPolicyFor(policy, topology, finding.file));
    return { ...finding, notes: [...finding.notes, ...notes] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...finding, ok: false, error: error.message };
  }
}

function print(findings: readonly Finding[], format: ValidateOptions['output']): void {
  if (format === 'json') process.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  if (format === 'yaml') process.stdout.write(stringify(findings));
  for (const { file, kind, error, notes } of findings) {
    if (error !== null) process.stderr.write(`${error}\n`);
    else if (format === 'table') {
      process.stdout.write(`ok  ${kind}  ${file}\n`);
      for (const note of notes) process.stdout.write(`    note: ${note}\n`);
    }
  }
}

function writeSchemas(dir: string): void {
  makeDirectory(dir);
  for (const [name, text] of schemaFiles()) writeFileAtomically(join(dir, name), text);
}
