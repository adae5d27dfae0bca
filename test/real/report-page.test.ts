/** The page of a tree's report in a real browser: how wide it is, and how large its letters are, only a browser knows. */

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketize, prepareBuild } from '../../bucketizer/bucketize.ts';
import { auditCommunities } from '../../bucketizer/communities.ts';
import { refresh } from '../../bucketizer/refresh.ts';
import { reportPage } from '../../bucketizer/report-page.ts';
import { communityTies, userNames } from '../bucketizer/sample-graphs.ts';
import { browserMissing, launchBrowser } from './browser.ts';

if (browserMissing.length > 0) {
  process.stdout.write(`skipped: the page of a report in a browser: ${browserMissing.join('; ')}\n`);
}

const input = { users: userNames(400), userWeights: null, ties: communityTies(400, 10, 1), tieWeights: null };
const options = { height: 6, seed: 1, simulateCache: true, audit: auditCommunities };
const reports = {
  'a refresh': refresh(prepareBuild(input, options), bucketize(input, options).tree, 0.05).report,
  'a build without ties': bucketize({ ...input, ties: new Uint32Array(0) }, options).report,
};

describe.skipIf(browserMissing.length > 0)('the page of a report in chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test.each(Object.entries(reports))('of %s fits a phone, and is read there', async (_, report) => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.setContent(reportPage(report));
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    for (const right of await measured(page, 'th + td, th + td + td', 'right')) {
      expect(right).toBeLessThanOrEqual(390); // figures behind a label are seen without scrolling
    }
    for (const height of await measured(page, 'svg text', 'height')) expect(height).toBeGreaterThanOrEqual(8);
    await page.close();
  });
});

/** Run as text in the page: types of the browser are not known here. */
function measured(page: Page, selector: string, edge: 'right' | 'height'): Promise<number[]> {
  return page.evaluate(
    `[...document.querySelectorAll('${selector}')].map((found) => found.getBoundingClientRect().${edge})`,
  );
}
