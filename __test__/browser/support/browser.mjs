// Starts Chromium without a window, opens the page, and reads what it shows.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { puppeteer } from '../driver/index.mjs';

const PATIENCE_MS = 20_000;

/** Starts a browser; the caller closes it. */
export function startBrowser() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  // Containers often have neither a sandbox nor enough shared memory.
  return puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** A page that records what goes wrong in it: errors, warnings, failed requests, requests to others. */
export async function openPage(t, browser, url, { user, before } = {}) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  t.teardown(() => context.close());
  const faults = [];
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const to = request.url();
    if (!to.startsWith(new URL(url).origin) && !/^(data|blob):/.test(to)) faults.push(`a request to ${to}`);
  });
  if (user !== undefined) await page.authenticate(user);
  await before?.(page);
  await page.setViewport({ width: 1360, height: 900 });
  await page.goto(url);
  return { page, faults };
}

/** Waits until a function of the page returns something true; returns it. */
export async function until(page, what, read, ...args) {
  const handle = await page.waitForFunction(read, { timeout: PATIENCE_MS, polling: 100 }, ...args).catch((error) => {
    throw new Error(`Waited in vain: ${what}`, { cause: error });
  });
  return handle.jsonValue();
}

/** Waits until the page shows so many more scrapes. */
export async function scrapes(page, count = 2) {
  const shown = await page.evaluate(() => Number(document.documentElement.dataset.scrape ?? -1));
  // One that had begun before may have older values.
  await until(page, 'scrapes', (least) => Number(document.documentElement.dataset.scrape) >= least, shown + count + 1);
}

/** The exact values of the tiles, by title. */
export function tilesOf(page) {
  return page.$$eval('.tile:not([hidden])', (tiles) =>
    Object.fromEntries(
      tiles.map((tile) => [
        tile.dataset.tile,
        {
          value: Number(tile.querySelector('.quantity').dataset.value),
          below: tile.querySelector('.below').textContent,
        },
      ]),
    ),
  );
}

/** The exact last value of a row of the list, by the attribute that finds it. */
export async function lastValue(page, attribute, name) {
  const text = await page.$eval(
    `[${attribute}=${JSON.stringify(name)}] [data-what=value] .quantity`,
    (element) => element.dataset.value,
  );
  return Number(text);
}

/** Searches the list. */
export async function search(page, text) {
  await page.$eval('#search', (input) => {
    input.value = '';
  });
  await page.type('#search', text === '' ? ' ' : text);
}

/** Saves a picture if `PAGE_PICTURES` names a folder: for people to look at. */
export async function picture(page, name) {
  const folder = process.env.PAGE_PICTURES;
  if (folder === undefined || folder === '') return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
