/** What the data directory keeps secret: the bearer token that writes need and the Ed25519 key that signs envelopes.
 *  Both are made at the first start, mode 0600. A secret that others can read is refused, not quietly closed: whoever
 *  could read it may have. */

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
  /** Takes the same time wherever the two differ, and whatever their lengths. */
  matches(presented: string): boolean;
}

export async function openToken(path: string): Promise<Token> {
  let text = await readSecret(path, 'token');
  const isNew = text === null;
  if (text === null) {
    text = `${randomBytes(32).toString('base64url')}\n`;
    await writeSecret(path, text);
  }
  const token = text.trim();
  if (token.length < 16 || /\s/.test(token)) {
    throw new ConfigError(
      `${path}: not a token; expected one line of at least 16 characters; delete it to get a new one`,
    );
  }
  const expected = digest(token);
  return { path, isNew, matches: (presented) => timingSafeEqual(digest(presented), expected) };
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
