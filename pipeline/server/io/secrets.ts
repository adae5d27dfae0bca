/** What the data directory keeps secret: the bearer tokens that writes need and the Ed25519 key that signs envelopes.
 *  Both are made at the first start, mode 0600. A secret that others can read is refused, not quietly closed: whoever
 *  could read it may have. A line of the token file is a token, or a name and that person's or program's token. */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
} from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../../../config/errors.ts';
import { makePrivateDirectory, privateFileMode, writeDurably } from '../../publish/io/durable-file.ts';
import { messageOf } from './data-directory.ts';

export interface Token {
  readonly path: string;
  readonly isNew: boolean;
  /** Whose it is; null: nobody's. Takes the same time wherever the two differ, and whatever their lengths. */
  bearerOf(presented: string): Bearer | null;
}

/** `name` null: the token says no more than that whoever bears it may write. */
export interface Bearer {
  readonly name: string | null;
}

export async function openToken(path: string): Promise<Token> {
  let text = await readSecret(path, 'token');
  const isNew = text === null;
  if (text === null) {
    text = `${randomBytes(32).toString('base64url')}\n`;
    await writeSecret(path, text);
  }
  const known = text
    .trim()
    .split('\n')
    .map((line) => bearerIn(line, path));
  const bearerOf = (presented: string): Bearer | null => {
    const given = digest(presented);
    const equal = known.map(({ expected }) => timingSafeEqual(given, expected)); // all of them, whichever it is
    return known[equal.indexOf(true)] ?? null;
  };
  return { path, isNew, bearerOf };
}

function bearerIn(line: string, path: string): Bearer & { readonly expected: Buffer } {
  const words = line.trim().split(/\s+/);
  const [name, token] = words.length === 2 ? [words[0]!, words[1]!] : [null, words[0]!];
  const isNamed = name === null || /^[A-Za-z0-9._@-]{1,64}$/.test(name);
  if (words.length > 2 || token.length < 16 || !isNamed) {
    throw new ConfigError(
      `${path}: not a token; expected lines of a token of at least 16 characters, or of a name and one; delete the file to get a new one`,
    );
  }
  return { name, expected: digest(token) };
}

export interface SigningKey {
  readonly keyId: string;
  readonly publicKeyPem: string;
  readonly publicJwk: { readonly kty: string; readonly crv: string; readonly x: string };
  sign(bytes: Uint8Array): Buffer;
}

export async function openSigningKey(path: string): Promise<SigningKey> {
  let pem = await readSecret(path, 'signing key');
  if (pem === null) {
    pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    await writeSecret(path, pem);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new ConfigError(
      `${path}: not a private key (${messageOf(error)}); restore it from a backup, or delete it and give the edges the new public key`,
    );
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new ConfigError(`${path}: an ${key.asymmetricKeyType} key, expected ed25519`);
  }
  const publicKey = createPublicKey(key);
  const jwk = publicKey.export({ format: 'jwk' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return {
    keyId: createHash('sha256').update(spki).digest('hex').slice(0, 16),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    publicJwk: { kty: String(jwk.kty), crv: String(jwk.crv), x: String(jwk.x) },
    sign: (bytes) => sign(null, bytes, key),
  };
}

/** Null where there is no such file. */
async function readSecret(path: string, noun: string): Promise<string | null> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new ConfigError(
        `${path}: the ${noun} can be read by others (mode ${(mode & 0o777).toString(8)}), expected 600; replace it, then chmod 600`,
      );
    }
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${path}: the ${noun} cannot be read (${messageOf(error)})`);
  }
}

async function writeSecret(path: string, text: string): Promise<void> {
  try {
    await makePrivateDirectory(dirname(path));
    await writeDurably(path, text);
  } catch (error) {
    throw new ConfigError(
      `${path}: cannot be written with mode ${privateFileMode.toString(8)} (${messageOf(error)}); check permissions and space`,
    );
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
