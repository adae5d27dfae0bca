/** The live page in a real browser, served by the real control plane: it draws, it follows, and it runs nothing that came
 *  in as a name. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { bucketize } from '../../bucketizer/bucketize.ts';
import { writeTree } from '../../bucketizer/io/tree-file.ts';
import { checked } from '../../config/checked.ts';
import { generateWorld } from '../../config/generate.ts';
import { writeFileAtomically } from '../../config/io/files.ts';
import { writeWorld } from '../../config/load.ts';
import { serverSchema } from '../../config/server.ts';
import type { World } from '../../config/world.ts';
import { type ControlPlane, startControlPlane } from '../../pipeline/server/io/control-plane.ts';
import { browserMissing, launchBrowser } from './browser.ts';
import { removeLater } from './scratch.ts';

const page = fileURLToPath(new URL('../../dist/pipeline/console/index.html', import.meta.url));
const missing = [...browserMissing, ...(existsSync(page) ? [] : ['the page is not built; npm run build'])];
if (missing.length > 0) process.stdout.write(`skipped: the live page in a browser: ${missing.join('; ')}\n`);

const markup = '<img src=x onerror="document.title=1">';

describe.skipIf(missing.length > 0)('the live page in chromium', () => {
  let control: ControlPlane;
  let browser: Browser;
  const world = withCity(generateWorld({ seed: 3, edges: 12, datacenters: 4, users: 2000, days: 1 }), markup);
  const drained = world.topology.datacenters[1]!.id;

  beforeAll(async () => {
    control = await serve(world);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser?.close();
    await control?.stop();
  });

  /** Opens the page and hears everything it complains of or asks of others. */
  async function open(
    options: BrowserContextOptions = {},
    { url }: ControlPlane = control,
  ): Promise<{ page: Page; trouble: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const opened = await context.newPage();
    const trouble: string[] = [];
    opened.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
    opened.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') trouble.push(`console: ${message.text()}`);
    });
    opened.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) trouble.push(request.url());
    });
    const listen =
      "addEventListener('securitypolicyviolation', (e) => console.error('violates ' + e.violatedDirective))";
    await opened.addInitScript({ content: listen });
    const response = await opened.goto(url);
    expect(response!.headers()['content-security-policy']).toContain("default-src 'self'");
    await opened.waitForSelector('.fractions tbody tr');
    // Not waitForFunction: it evaluates text inside the page, which the page's own policy forbids.
    await opened.locator('.epochs tbody tr').nth(3).waitFor({ state: 'attached' });
    return { page: opened, trouble };
  }

  test.each([
    'light',
    'dark',
  ] as const)('draws both plots and the heat table without a complaint, %s', async (colorScheme) => {
    const { page: opened, trouble } = await open({ colorScheme });
    expect(await opened.locator('.fractions tbody tr').count()).toBe(12);
    expect(await opened.locator('.datacenters tbody tr').count()).toBe(4);
    const row = await opened.locator('.fractions tbody tr').first().locator('.heat').allTextContents();
    const sum = row.reduce((total, text) => total + Number(text), 0);
    expect(sum).toBeGreaterThanOrEqual(97);
    expect(sum).toBeLessThanOrEqual(103);
    expect(trouble).toEqual([]);
    const colours = await coloursOf(opened); // last: chromium warns of reading pixels
    expect(colours).toHaveLength(2);
    for (const count of colours) expect(count).toBeGreaterThan(8);
    await opened.context().close();
  });

  test('shows a name that is markup as text, here and where one points at it', async () => {
    const { page: opened, trouble } = await open();
    const names = await opened.locator('.fractions tbody th').allTextContents();
    expect(names.some((name) => name.includes(markup))).toBe(true);
    expect(await opened.locator('img').count()).toBe(0);
    expect(await opened.locator('.heat').first().getAttribute('title')).toContain(' to ');
    expect(await opened.title()).toBe('Taiji');
    expect(trouble).toEqual([]);
    await opened.context().close();
  });

  test('follows the epochs as they end, and a drain from its intent on', async () => {
    const { page: opened, trouble } = await open();
    const newest = () => opened.locator('.epochs tbody tr td').first().textContent();
    const before = await newest();
    await expect.poll(newest, { timeout: 10_000 }).not.toBe(before);
    const token = readFileSync(control.tokenFile, 'utf8').trim();
    const answer = await fetch(`${control.url}/v1/intents`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ kind: 'drain', id: 'd', author: 'ann', reason: 'power work', datacenter: drained }),
    });
    expect(answer.status).toBe(201);
    const row = opened.locator('.datacenters tbody tr').filter({ hasText: drained });
    await expect.poll(() => row.textContent(), { timeout: 15_000 }).toMatch(/draining.*power work.*0\.0 %/);
    expect(trouble).toEqual([]);
    await opened.context().close();
  });

  test('fits a phone: nothing is wider than the screen', async () => {
    const { page: opened, trouble } = await open({ viewport: { width: 390, height: 844 } });
    expect(await opened.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
    expect(trouble).toEqual([]);
    await opened.context().close();
  });

  test('shows one of several services, and another where its name is chosen', async () => {
    const part = (service: string, share: number) => ({ service, rps: world.demand.rps.map((rps) => rps * share) });
    const several = await serve({ ...world, services: [part('chat', 0.5), part('web', 0.5)] }, ['chat', 'web']);
    try {
      const { page: opened, trouble } = await open({}, several);
      const links = opened.locator('.services a');
      expect(await links.allTextContents()).toEqual(['chat', 'web']);
      expect(await opened.locator('.services a[aria-current]').textContent()).toBe('chat');
      await links.nth(1).click();
      await expect.poll(() => opened.locator('.services a[aria-current]').textContent()).toBe('web');
      await opened.locator('.epochs tbody tr').nth(3).waitFor({ state: 'attached' });
      expect(opened.url()).toMatch(/#web$/);
      expect(trouble).toEqual([]);
      await opened.context().close();
    } finally {
      await several.stop();
    }
  });

  test('says so when the control plane is gone, and keeps what it knew', async () => {
    const { page: opened } = await open();
    await control.stop();
    await expect.poll(() => opened.locator('.title .chip').textContent()).toContain('no connection');
    expect(await opened.locator('.fractions tbody tr').count()).toBe(12);
  });
});

async function serve(world: World, services: readonly string[] = ['web']): Promise<ControlPlane> {
  const dir = removeLater();
  const { users, friends } = world;
  writeWorld(join(dir, 'world'), world);
  const input = { users: users.ids, userWeights: users.weight, ties: friends, tieWeights: null };
  writeTree(join(dir, 'tree'), bucketize(input, { height: 9, seed: 1 }).tree);
  for (const service of services) {
    const policy = { apiVersion: 'taiji/v1', kind: 'Policy', metadata: { service } };
    writeFileAtomically(join(dir, `${service}.yaml`), stringify(policy));
  }
  const { spec } = checked(
    serverSchema,
    {
      apiVersion: 'taiji/v1',
      kind: 'Server',
      spec: {
        dataDirectory: 'data',
        services: services.map((service) => ({ policy: `${service}.yaml` })),
        tree: 'tree',
        telemetry: { kind: 'world', dir: 'world', repeat: true },
        clock: { epochWall: '300ms' },
        listen: { port: 0 },
      },
    },
    'test server',
  );
  return startControlPlane(spec, { log: pino({ level: 'silent' }), baseDirectory: dir });
}

function withCity(world: World, city: string): World {
  const [first, ...others] = world.topology.edges;
  return { ...world, topology: { ...world.topology, edges: [{ ...first!, city }, ...others] } };
}

/** How many colours each plot holds: one with axes, grid and lines has many, an empty one a single one. In words of the
 *  browser, whose types the rest of the project does without. */
function coloursOf(opened: Page): Promise<number[]> {
  return opened.evaluate(`[...document.querySelectorAll('.uplot canvas')].map((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] > 200) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    }
    return colours.size;
  })`);
}
