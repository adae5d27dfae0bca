/** The cookie `bucket`, by which edges route: frontends look the user up and set it, and rewrite it when a refresh has
 *  moved the user. Any id below 2^height, in plain decimal, is valid; whatever else the cookie holds counts as no cookie.
 *  With a key the cookie is `ID.MAC` (HMAC-SHA256 of the id, 128 bits of it), so that nobody can choose a bucket; edges
 *  then have to cut the value at the dot. Works with express and with plain `node:http`. */

import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BucketLookup } from '../lookup.ts';
import { checkFriends, checkId } from '../user-id.ts';

export const bucketCookieName = 'bucket';

const maxAgeSecondsDefault = 365 * 86_400;
const macBytes = 16;

export interface BucketCookieOptions {
  readonly height: number; // of the tree
  readonly macKey?: string | Uint8Array; // default: no MAC
  readonly maxAgeSeconds?: number; // default: a year
}

/** The bucket in a request's `Cookie` header; null: none, or none that is valid. The first cookie of the name counts. */
export function readBucketCookie(header: string | undefined, options: BucketCookieOptions): number | null {
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=');
    if (equals < 0) continue;
    if (pair.slice(0, equals).trim() === bucketCookieName) return parseValue(pair.slice(equals + 1).trim(), options);
  }
  return null;
}

/** A `Set-Cookie` header. */
export function bucketCookie(bucket: number, options: BucketCookieOptions): string {
  const value = options.macKey === undefined ? `${bucket}` : `${bucket}.${macOf(`${bucket}`, options.macKey)}`;
  const maxAge = options.maxAgeSeconds ?? maxAgeSecondsDefault;
  return `${bucketCookieName}=${value}; Max-Age=${maxAge}; Path=/; HttpOnly; Secure; SameSite=Lax`;
}

export interface BucketMiddlewareOptions<Request extends IncomingMessage> extends Omit<BucketCookieOptions, 'height'> {
  readonly lookup: Pick<BucketLookup, 'bucketOf' | 'height'>; // `() => current` behind it, where trees are swapped at run time
  userOf(request: Request): string | null | undefined; // nothing, or an empty id: nobody is signed in; a valid cookie is then left as it is
  friendsOf?(request: Request): Iterable<string>; // of a user who may be new
}

declare global {
  namespace Express {
    interface Request {
      bucket?: number | null; // once `bucketMiddleware` has seen it; null: nobody is known, and no valid cookie came
    }
  }
}

/** Sets `request.bucket` (null where nobody is known and no valid cookie came) and the cookie where it is to change. */
export function bucketMiddleware<Request extends IncomingMessage>(options: BucketMiddlewareOptions<Request>) {
  return (
    request: Request & { bucket?: number | null },
    response: ServerResponse,
    next: (error?: unknown) => void,
  ): void => {
    try {
      const { lookup } = options;
      const cookieOptions = { ...options, height: lookup.height };
      const inCookie = readBucketCookie(request.headers.cookie, cookieOptions);
      const given: unknown = options.userOf(request);
      const user = given === false ? '' : (given ?? ''); // plain JavaScript: `session.user && session.user.id`
      checkId(user, 'the user that userOf gives');
      // an id of nobody would send all strangers to one bucket
      const bucket = user === '' ? inCookie : lookup.bucketOf(user, friendsOf(request, options));
      if (bucket !== null && bucket !== inCookie)
        response.appendHeader('Set-Cookie', bucketCookie(bucket, cookieOptions));
      request.bucket = bucket;
    } catch (error) {
      next(error);
      return;
    }
    next();
  };
}

function friendsOf<Request extends IncomingMessage>(
  request: Request,
  options: BucketMiddlewareOptions<Request>,
): Iterable<string> | undefined {
  const friends = options.friendsOf?.(request);
  if (friends !== undefined) checkFriends(friends, 'the list that friendsOf gives');
  return friends;
}

function parseValue(value: string, { height, macKey }: BucketCookieOptions): number | null {
  const [id, mac, more] = value.split('.');
  if (!/^(0|[1-9]\d{0,4})$/.test(id!) || Number(id) >= 1 << height || more !== undefined) return null;
  if (macKey === undefined) return mac === undefined ? Number(id) : null;
  const given = Buffer.from(mac ?? '', 'utf8');
  const right = Buffer.from(macOf(id!, macKey), 'utf8');
  return given.length === right.length && timingSafeEqual(given, right) ? Number(id) : null;
}

function macOf(id: string, key: string | Uint8Array): string {
  const digest = createHmac('sha256', key).update(`${bucketCookieName}=${id}`).digest();
  return digest.subarray(0, macBytes).toString('base64url');
}
