/** How verbs speak with a running `taiji serve`: where it is, the token that writes need, and its problem documents as
 *  the one line people read. */

import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { Command, Option } from 'commander';
import { ConfigError, quoteStart } from '../../config/errors.ts';
import { readText } from '../../config/io/files.ts';

export interface ServerFlags {
  readonly server: string;
  readonly tokenFile?: string;
}

/** A verb that asks a running control plane: with --server, and with --token-file where it `writes`. */
export function serverCommand(name: string, writes: 'reads' | 'writes'): Command {
  const server = new Option('--server <url>', 'the control plane').env('TAIJI_SERVER').default('http://127.0.0.1:8470');
  const command = new Command(name).addOption(server);
  if (writes === 'reads') return command;
  return command.addOption(
    new Option(
      '--token-file <file>',
      'file with the token, as in its dataDirectory; or the token itself in TAIJI_TOKEN',
    ).env('TAIJI_TOKEN_FILE'),
  );
}

export interface ServerAnswer {
  readonly status: number; // 200..299
  readonly body: unknown; // null where there is none
}

/** Nobody answers: it restarts, or is elsewhere. */
export class ServerAway extends ConfigError {}

/** A refusal of the control plane, with what it says besides: numbers a pre-check came to. */
export class ServerRefusal extends ConfigError {
  readonly status: number;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(message: string, status: number, problem: Readonly<Record<string, unknown>>) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

/** Reads. Rejects with a ServerAway where nobody answers, or with a refusal. */
export function askServer(flags: ServerFlags, path: string): Promise<ServerAnswer> {
  return ask(flags.server, path, { method: 'GET' });
}

/** Writes, with the token. Rejects likewise. */
export function tellServer(
  flags: ServerFlags,
  method: 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<ServerAnswer> {
  const headers = { Authorization: `Bearer ${tokenOf(flags)}`, 'Content-Type': 'application/json' };
  return ask(flags.server, path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
}

/** Puts a file there, of so many bytes. Rejects likewise. */
export async function handIn(flags: ServerFlags, path: string, open: () => Readable, bytes: number): Promise<void> {
  await ask(flags.server, path, {
    method: 'PUT',
    headers: {
      Authorization: `Bearer ${tokenOf(flags)}`,
      'Content-Type': 'application/octet-stream',
      'Content-Length': String(bytes),
    },
    body: Readable.toWeb(open()) as ReadableStream,
    duplex: 'half',
    signal: AbortSignal.timeout(handInMsMax),
  });
}

async function ask(server: string, path: string, request: RequestInit): Promise<ServerAnswer> {
  let reply: Response;
  let text: string;
  try {
    reply = await fetch(new URL(path, server), { signal: AbortSignal.timeout(answerMsMax), ...request });
    text = await reply.text();
  } catch (error) {
    throw new ServerAway(
      `${quoteStart(server)}: no control plane answers there (${causeOf(error)}); name it with --server or TAIJI_SERVER`,
    );
  }
  const body = jsonOf(text);
  if (reply.ok) return { status: reply.status, body };
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const detail = typeof problem['detail'] === 'string' ? problem['detail'] : `status ${reply.status}`;
  throw new ServerRefusal(detail, reply.status, problem);
}

const answerMsMax = 60_000;
const handInMsMax = 3_600_000;

/** A line of the file is a token, or a name and a token: then the first one is meant. */
function tokenOf({ tokenFile }: ServerFlags): string {
  const token = process.env['TAIJI_TOKEN'] ?? (tokenFile === undefined ? '' : readText(tokenFile));
  const [first = ''] = token.trim().split('\n');
  const word = first.trim().split(/\s+/).at(-1)!;
  if (word !== '') return word;
  throw new ConfigError(
    tokenFile === undefined
      ? 'no token is given, expected --token-file FILE (such as data/token of the server), TAIJI_TOKEN_FILE or TAIJI_TOKEN'
      : `${tokenFile}: empty, expected the token of the control plane`,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // of a server that is none of ours, or nothing
  }
}

function causeOf(error: unknown): string {
  const { cause, name, message } = error as {
    cause?: { code?: unknown; message?: unknown };
    name: string;
    message: string;
  };
  if (name === 'TimeoutError') return `no answer within ${answerMsMax / 1000} s`;
  return String(cause?.code ?? cause?.message ?? message);
}
