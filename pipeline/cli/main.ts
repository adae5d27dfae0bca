#!/usr/bin/env node
/** `taiji`: one verb a file. What people can mend is one line and exit 1; a defect shows where it is. */

import { Command } from 'commander';
import { complaintOf } from './complaint.ts';
import { showRequired } from './required.ts';

const program = new Command('taiji')
  .description('Edge traffic control plane: which datacenter serves each user of each edge')
  .version('0.1.0')
  .showHelpAfterError('(taiji --help tells more)')
  .addHelpText(
    'after',
    `
Examples:
  taiji world --out world                                             make a world to try things on
  taiji bucketize world/friends.csv.gz --users world/users.csv --out tree
  taiji plan --world world --policy policy.yaml --tree tree           one epoch, with a diff
  taiji explain --world world --policy policy.yaml --tree tree --edge fra     why its traffic goes where it goes
  taiji replay --world world --policy policy.yaml --tree tree         the whole week, with a summary
  taiji serve --config server.yaml                                    the control plane
  taiji drain ashburn --reason 'power work' --for 2h                  of a running one; also shift, override, freeze
  taiji get intents                                                   what is in force there, and what waits

Exit status: 0 done, 1 error, 2 something would change (with --detailed-exitcode), 3 a check failed.`,
  );
/** Only the verb asked for is loaded: all of them take a third of a second, most of it for solvers and servers. */
const verbs: Readonly<Record<string, () => Promise<Command>>> = {
  world: async () => (await import('./world.ts')).worldCommand(),
  bucketize: async () => (await import('./bucketize.ts')).bucketizeCommand(),
  tree: async () => (await import('./tree.ts')).treeCommand(),
  plan: async () => (await import('./plan.ts')).planCommand(),
  explain: async () => (await import('./explain.ts')).explainCommand(),
  import: async () => (await import('./import.ts')).importCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
  validate: async () => (await import('./validate.ts')).validateCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  get: async () => (await import('./get.ts')).getCommand(),
  shift: async () => (await import('./shift.ts')).shiftCommand(),
  drain: async () => (await import('./drain.ts')).drainCommand(),
  undrain: async () => (await import('./undrain.ts')).undrainCommand(),
  override: async () => (await import('./override.ts')).overrideCommand(),
  freeze: async () => (await import('./freeze.ts')).freezeCommand(),
  unfreeze: async () => (await import('./unfreeze.ts')).unfreezeCommand(),
  withdraw: async () => (await import('./withdraw.ts')).withdrawCommand(),
  apply: async () => (await import('./apply.ts')).applyCommand(),
  history: async () => (await import('./history.ts')).historyCommand(),
  diff: async () => (await import('./diff.ts')).diffCommand(),
  rollback: async () => (await import('./rollback.ts')).rollbackCommand(),
  resume: async () => (await import('./resume.ts')).resumeCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
};
for (const load of loadersFor(process.argv[2] ?? '')) program.addCommand(showRequired(await load()));

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0); // the reader has seen enough, as with `| head`
  process.stderr.write(`taiji: standard output cannot be written (${error.message}); check where it goes\n`);
  process.exit(1);
});

try {
  await program.parseAsync();
} catch (error) {
  const complaint = complaintOf(error);
  if (complaint === null) throw error;
  process.stderr.write(`taiji: ${complaint}\n`);
  process.exitCode = 1;
}

/** Of all verbs where the word is none of them, for help and for what else it may have been. */
function loadersFor(word: string): readonly (() => Promise<Command>)[] {
  if (word === '--version' || word === '-V') return [];
  return Object.hasOwn(verbs, word) ? [verbs[word]!] : Object.values(verbs);
}
