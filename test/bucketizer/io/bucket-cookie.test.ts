import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { bucketCookie, bucketMiddleware, readBucketCookie } from '../../../bucketizer/io/bucket-cookie.ts';

const height = 10;

test.each([
  ['bucket=0', 0],
  ['bucket=1023', 1023],
  ['theme=dark; bucket=7; x=1', 7],
  ['theme=dark;bucket = 7 ', 7],
  ['bucket=1024', null],
  ['bucket=-1', null],
  ['bucket=007', null],
  ['bucket=7.0', null],
  ['bucket=1e2', null],
  ['bucket=', null],
  ['bucket', null],
  ['bucketX; bucket=7', 7],
  ['bucket=x; bucket=7', null],
  ['Bucket=7; buckets=8', null],
  ['bucket=99999999999999999999', null],
  ['', null],
  [undefined, null],
])('the cookie header %j holds the bucket %j', (header, bucket) => {
  expect(readBucketCookie(header, { height })).toBe(bucket);
});

test('a cookie that is set is read again, for http only, secure, same site', () => {
  const set = bucketCookie(513, { height });
  expect(set).toBe('bucket=513; Max-Age=31536000; Path=/; HttpOnly; Secure; SameSite=Lax');
  expect(readBucketCookie(set.split(';')[0], { height })).toBe(513);
  expect(bucketCookie(1, { height, maxAgeSeconds: 60 })).toContain('; Max-Age=60;');
});

test('with a key only what was signed with it is valid', () => {
  const signed = (bucket: number, macKey: string): string => bucketCookie(bucket, { height, macKey }).split(';')[0]!;
  const read = (header: string): number | null => readBucketCookie(header, { height, macKey: 'key' });
  expect(read(signed(513, 'key'))).toBe(513);
  expect(read(signed(513, 'other key'))).toBeNull();
  expect(read(signed(513, 'key').replace('513', '514'))).toBeNull();
  expect(read('bucket=513')).toBeNull();
  expect(read(`${signed(513, 'key')}.x`)).toBeNull();
  expect(readBucketCookie(signed(513, 'key'), { height })).toBeNull();
});

async function served(server: Server): Promise<(headers: Record<string, string>) => Promise<Response>> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  onTestFinished(() => void server.close());
  return (headers) => fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { headers });
}

test('ids that are no text are an error of the application, the id 0 among them', () => {
  const lookup = { height, bucketOf: () => 5 };
  const ask = (given: unknown, friends?: unknown): unknown => {
    const request = { headers: {} } as IncomingMessage;
    const response = { appendHeader: () => response } as unknown as ServerResponse;
    let error: unknown;
    bucketMiddleware({
      lookup,
      userOf: () => given as string,
      ...(friends === undefined ? {} : { friendsOf: () => friends as string[] }),
    })(request, response, (told) => {
      error = told;
    });
    return error;
  };
  expect(ask(10018)).toEqual(
    new TypeError('the user that userOf gives is 10018 (a number), expected an id as a string, such as String(id)'),
  );
  expect(ask(0)).toBeInstanceOf(TypeError);
  expect(ask('0')).toBeUndefined();
  expect(ask(false)).toBeUndefined(); // nobody
  expect(ask('ann', 'bob')).toEqual(
    new TypeError(
      'the list that friendsOf gives is "bob" (a string), expected a list of ids as strings, such as ids.map(String)',
    ),
  );
});

test('under express a cookie is set, kept while it is right, rewritten when the user moved, and left to strangers', async () => {
  const buckets = new Map([['ann', 5]]);
  const lookup = { height, bucketOf: (user: string) => buckets.get(user) ?? 1000 };
  const app = express();
  app.use(
    bucketMiddleware<express.Request>({
      lookup,
      userOf: (request) => {
        if (request.get('x-user') === 'trouble') throw new Error('no session store');
        return request.get('x-user');
      },
    }),
  );
  app.get('/', (request, response) => {
    response.cookie('theme', 'dark').json(request.bucket);
  });
  app.use((_: Error, __: express.Request, response: express.Response, ___: express.NextFunction) => {
    response.status(500).end();
  });
  const get = await served(createServer(app));
  const ask = async (headers: Record<string, string>) => {
    const response = await get(headers);
    const set = response.headers.getSetCookie().filter((cookie) => cookie.startsWith('bucket='));
    return { bucket: await response.json(), set: set.map((cookie) => cookie.split(';')[0]) };
  };
  expect(await ask({ 'x-user': 'ann' })).toEqual({ bucket: 5, set: ['bucket=5'] });
  expect(await ask({ 'x-user': 'ann', cookie: 'bucket=5' })).toEqual({ bucket: 5, set: [] });
  buckets.set('ann', 6);
  expect(await ask({ 'x-user': 'ann', cookie: 'a=b; bucket=5' })).toEqual({ bucket: 6, set: ['bucket=6'] });
  expect(await ask({ 'x-user': 'new', cookie: 'bucket=4096' })).toEqual({ bucket: 1000, set: ['bucket=1000'] });
  expect(await ask({ cookie: 'bucket=9' })).toEqual({ bucket: 9, set: [] });
  expect(await ask({ cookie: 'bucket=4096' })).toEqual({ bucket: null, set: [] });
  expect(await ask({})).toEqual({ bucket: null, set: [] });
  expect(await ask({ 'x-user': '' })).toEqual({ bucket: null, set: [] });
  expect((await get({ 'x-user': 'trouble' })).status).toBe(500);
});
