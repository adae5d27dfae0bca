/** What `import ... from 'taiji/lookup'` gives: users' buckets and the cookie that holds them, for frontends. */

export type { BucketLookup } from '../lookup.ts';
export { fullCut, isOnNextTree, lookupBetween } from '../tree-share.ts';
export { unknownUserBucket } from '../unknown-user.ts';
export {
  type BucketCookieOptions,
  type BucketMiddlewareOptions,
  bucketCookie,
  bucketCookieName,
  bucketMiddleware,
  readBucketCookie,
} from './bucket-cookie.ts';
export { openTree } from './open-tree.ts';
