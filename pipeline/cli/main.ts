#!/usr/bin/env node
/** `taiji`: one verb a file. What people can mend is one line and exit 1; a defect shows where it is. */

import { Command } from 'commander';
import { ConfigError } from '../../config/errors.ts';
import { bucketizeCommand } from './bucketize.ts';
import { demoCommand } from './demo.ts';
import { explainCommand } from './explain.ts';
import { planCommand } from './plan.ts';
import { replayCommand } from './replay.ts';
import { serveCommand } from './serve.ts';
import { treeCommand } from './tree.ts';
import { validateCommand } from './validate.ts';
import { worldCommand } from './world.ts';

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

Exit status: 0 done, 1 error, 2 something would change (with --detailed-exitcode), 3 a check failed.`,
  );
for (const command of [
  worldCommand(),
  bucketizeCommand(),
  treeCommand(),
  planCommand(),
  explainCommand(),
  replayCommand(),
  validateCommand(),
  serveCommand(),
  demoCommand(),
]) {
  program.addCommand(command);
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0); // the reader has seen enough, as with `| head`
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`taiji: ${error.message}\n`);
  process.exitCode = 1;
}
