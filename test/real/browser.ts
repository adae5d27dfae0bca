/** The browser that pages are looked at in. */

import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const path = process.env['TAIJI_CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there is none; empty: there is. */
export const browserMissing: readonly string[] = existsSync(path)
  ? []
  : [`no browser at ${path}; apt-get install chromium, or set TAIJI_CHROMIUM`];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
