/** The Host check lets through the names that were stated and no other. */

import { expect, test } from 'vitest';
import { allowedHosts, isAllowedHost } from '../../../pipeline/server/host-check.ts';

test('loopback names and stated ones are served, with any port and in any case', () => {
  const allowed = allowedHosts(['Taiji.example.org', '::1', 'fd00::7']);
  const good = [
    'localhost',
    'LOCALHOST:80',
    '127.0.0.1:8470',
    '[::1]:1',
    'taiji.example.org',
    'TAIJI.example.org.:443',
    '[fd00::7]',
  ];
  for (const host of good) expect(isAllowedHost(host, allowed), host).toBe(true);
});

test('other names, near misses and malformed headers are not', () => {
  const allowed = allowedHosts(['taiji.example.org']);
  const bad = [
    undefined,
    '',
    'evil.example',
    'taiji.example.org.evil.example',
    'xlocalhost',
    'localhost.evil.example',
    'localhost:80:80',
    'localhost:',
    '127.0.0.1.nip.example',
    'a@localhost',
    '[::1',
    'localhost/',
  ];
  for (const host of bad) expect(isAllowedHost(host, allowed), String(host)).toBe(false);
});
