/** `taiji serve`: the control plane. Logs go to stderr, one JSON line an event, one an epoch. */

import { dirname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { destination, pino } from 'pino';
import { parseDocumentAs } from '../../config/checked.ts';
import { ConfigError } from '../../config/errors.ts';
import { readText } from '../../config/io/files.ts';
import { type ServerConfig, serverSchema } from '../../config/server.ts';
import { startControlPlane } from '../server/io/control-plane.ts';

interface ServeFlags {
  readonly config: string;
  readonly logLevel: string;
  readonly shadow?: boolean;
}

export function serveCommand(): Command {
  return new Command('serve')
    .description('Run the control plane: plan every epoch, journal it, publish tables to the edges')
    .requiredOption('--config <file>', 'server config (YAML or JSON, kind: Server)')
    .option('--shadow', 'plan and compare with what edges do today; publish nothing')
    .addOption(
      new Option('--log-level <level>', 'least level that is logged')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .addHelpText(
      'after',
      `
Examples:
  taiji serve --config server.yaml
  taiji serve --config server.yaml --shadow      then: taiji get shadow
  curl localhost:8470/readyz
  curl --compressed localhost:8470/v1/services/web/edges/fra/table
  taiji drain ashburn --reason 'power work' --for 2h --token-file data/token

SIGTERM and SIGINT finish the epoch in work and end with status 0. Running, backup and alerts: docs/operations.md`,
    )
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  const { spec } = readServerConfig(flags.config);
  // Synchronous: the last lines before an end are the ones that matter.
  const log = pino({ level: flags.logLevel, base: { pid: process.pid } }, destination({ dest: 2, sync: true }));
  const baseDirectory = resolve(dirname(flags.config));
  // A limit on file sizes (ulimit, systemd) is then an error of one write, not the end of the process.
  process.on('SIGXFSZ', () => {});
  const controlPlane = await startControlPlane(spec, { log, baseDirectory, isShadow: flags.shadow === true });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      void controlPlane.stop();
    });
  }
  const error = await controlPlane.done;
  if (error !== null) throw new ConfigError(`serve: ${error}`);
  log.info('stopped');
}

/** Reads a server config. Throws a ConfigError with file and line. */
function readServerConfig(file: string): ServerConfig {
  return parseDocumentAs(serverSchema, readText(file), file, () => 'server');
}
