// Opens the live page in a real browser: the values on it equal what was recorded, it makes no mistake in the console, it can
// be used by keys, by a screen reader and on a phone, and it stays quick with 10,000 series.

import { once } from 'node:events';
import http from 'node:http';
import {
  AgentMetricsCollector,
  Counter,
  collectDefaultMetrics,
  createMetricsHandler,
  Gauge,
  Histogram,
  LlmMetricsCollector,
  Registry,
  startExporter,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { AXE } from './driver/index.mjs';
import { lastValue, openPage, picture, scrapes, search, startBrowser, tilesOf, until } from './support/browser.mjs';

let browser;

test.before(async () => {
  browser = await startBrowser();
});
test.after.always(() => browser?.close());

async function exporter(t, registry, options = {}) {
  const running = await startExporter({ registry, host: '127.0.0.1', port: 0, ...options });
  t.teardown(() => running.close({ timeoutMs: 0 }));
  return running;
}

/** Records requests and executions of agents, and returns what the page must show. */
function record(registry) {
  const llm = new LlmMetricsCollector({ registry });
  const agents = new AgentMetricsCollector({ registry });
  const ledger = { requests: 0, errors: 0, tokens: 0, cost: 0 };
  const target = { provider: 'openai', model: 'gpt-4o', operation: 'chat' };
  return {
    ledger,
    request(n) {
      const failed = n % 4 === 3;
      const [inputTokens, outputTokens, costUsd] = [100 + n, 10 * n, n / 1000];
      llm.recordRequest({
        ...target,
        durationMs: 100 * n,
        timeToFirstTokenMs: 40 * n,
        chunks: 3,
        ...(failed
          ? { error: Object.assign(new Error('x'), { status: 500 }) }
          : { inputTokens, outputTokens, costUsd }),
      });
      ledger.requests++;
      if (failed) ledger.errors++;
      else {
        ledger.tokens += inputTokens + outputTokens;
        ledger.cost += costUsd;
      }
    },
    async execution() {
      await agents.run('writer', async (execution) => {
        await execution.tool('search', {}, async () => 1);
      });
    },
  };
}

test.serial('the values on the page are those that were recorded', async (t) => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { ledger, request, execution } = record(registry);
  const orders = new Counter({ name: 'orders_total', help: 'Orders', labelNames: ['shop'], registers: [registry] });
  const odd = '</script><b onclick="x">"\\\n{le="1"}';
  const stock = new Gauge({ name: 'stock', help: 'Stock', labelNames: ['shop'], registers: [registry] });
  const sizes = new Histogram({
    name: 'order_size_bytes',
    help: 'Sizes',
    buckets: [10, 100, 1000],
    registers: [registry],
  });
  request(1);
  const { url } = await exporter(t, registry);
  const { page, faults } = await openPage(t, browser, `${url}/`);
  await scrapes(page);
  for (let n = 2; n < 30; n++) request(n);
  await execution();
  orders.inc({ shop: 'a' }, 12_345.5);
  orders.inc({ shop: odd }, 7);
  stock.set({ shop: 'a' }, -0.25);
  for (const size of [5, 50, 60, 500]) sizes.observe(size);
  await scrapes(page, 3);

  const tiles = await tilesOf(page);
  for (const title of [
    'LLM requests',
    'LLM errors',
    'First token, p95',
    'Tokens',
    'Cost an hour',
    'Agents',
    'Memory',
    'Processor',
    'Event loop late, p99',
  ])
    t.truthy(tiles[title], title);
  t.is(tiles['LLM requests'].below, `${ledger.requests} in all`);
  t.is(tiles['LLM errors'].below, `${ledger.errors} in all`);
  t.is(tiles.Tokens.below, `${ledger.tokens.toLocaleString('en')} in all`);
  t.is(tiles['LLM errors'].value, ledger.errors / (ledger.requests - 1), 'the first request came before the page');
  t.true(tiles.Memory.value > 1e7);
  // All requests were recorded within the window of the rate, whose length the page knows.
  t.is(
    Math.round(
      tiles['Cost an hour'].value /
        tiles['LLM requests'].value /
        3600 /
        ((ledger.cost - 0.001) / (ledger.requests - 1)) /
        1e-9,
    ),
    1e9,
  );

  await search(page, 'orders_total');
  await page.click('[data-family=orders_total] .main');
  t.is(await lastValue(page, 'data-family', 'orders_total'), 12_352.5);
  t.is(await lastValue(page, 'data-series', 'orders_total{shop="a"}'), 12_345.5);
  const written = odd.replace(/["\\]/g, '\\$&').replace(/\n/g, '\\n');
  t.is(await lastValue(page, 'data-series', `orders_total{shop="${written}"}`), 7);
  await search(page, 'stock');
  t.is(await lastValue(page, 'data-family', 'stock'), -0.25);
  await search(page, 'order_size_bytes');
  t.is(await lastValue(page, 'data-family', 'order_size_bytes'), 4);
  t.regex(
    await page.$eval('[data-family=order_size_bytes] .more', (element) => element.textContent),
    /p50 55 B {2}p95 820 B {2}p99 964 B/,
  );

  // The values are the exposition's at each time.
  orders.inc({ shop: 'a' }, 1);
  await search(page, 'orders_total');
  await until(
    page,
    'the page shows the newest value',
    () => document.querySelector('[data-family=orders_total] [data-what=value] .quantity')?.dataset.value === '12353.5',
  );
  t.deepEqual(faults, []);
});

test.serial('a chart: the window with PromQL, CSV and PNG', async (t) => {
  const registry = new Registry();
  const level = new Gauge({ name: 'level', help: 'A level', registers: [registry] });
  level.set(42.5);
  const { url } = await exporter(t, registry);
  const { page, faults } = await openPage(t, browser, `${url}/`, {
    // Downloads are caught where the page makes them.
    before: (page) =>
      page.evaluateOnNewDocument(() => {
        window.saved = [];
        const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => {
          blob.arrayBuffer().then((bytes) => window.saved.push({ type: blob.type, bytes: [...new Uint8Array(bytes)] }));
          return make(blob);
        };
      }),
  });
  await scrapes(page, 2);
  await search(page, 'level');
  await page.click('[data-family=level] .main');
  t.is(await page.$eval('#detail-title', (element) => element.textContent), 'level');
  t.is(await page.$eval('#detail-promql code', (element) => element.textContent), 'level');
  await scrapes(page, 1);
  await page.click('#csv');
  await page.click('#png');
  await until(page, 'both files are made', () => window.saved.length === 2);
  const [csv, png] = (await page.evaluate(() => window.saved)).sort((a, b) => (a.type < b.type ? 1 : -1));
  t.is(csv.type, 'text/csv');
  const lines = Buffer.from(csv.bytes).toString().trim().split('\r\n');
  t.is(lines[0], 'time,value');
  t.true(lines.length >= 3);
  for (const line of lines.slice(1)) t.regex(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z,42\.5$/);
  t.deepEqual(png.bytes.slice(0, 8), [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  await page.keyboard.press('Escape');
  t.false(await page.$eval('#detail', (dialog) => dialog.open));
  t.deepEqual(faults, []);
});

test.serial('keys: search, pause, theme, parts, rows', async (t) => {
  const registry = new Registry();
  for (const name of ['a_total', 'b_total'])
    new Counter({ name, help: 'h', labelNames: ['x'], registers: [registry] }).inc({ x: '1' });
  const { url } = await exporter(t, registry, { selfMetrics: false });
  const { page, faults } = await openPage(t, browser, `${url}/`);
  await scrapes(page, 2);
  await page.keyboard.press('/');
  await page.keyboard.type('b_t');
  t.deepEqual(await page.$$eval('.row', (rows) => rows.map(({ dataset }) => dataset.row)), ['b_total']);
  await page.keyboard.press('Escape');
  await search(page, '');
  const theme = await page.$eval('html', (root) => root.dataset.theme);
  await page.$eval('#search', (input) => input.blur());
  await page.keyboard.press('t');
  t.not(await page.$eval('html', (root) => root.dataset.theme), theme);
  await page.keyboard.press('2');
  t.is(await page.$eval('[aria-selected=true]', (tab) => tab.dataset.tab), 'families');
  await page.focus('[data-row=a_total] .main');
  await page.keyboard.press('Enter');
  t.is(await page.$eval('[data-row=a_total] .main', (button) => button.getAttribute('aria-expanded')), 'true');
  await page.keyboard.press('ArrowDown');
  t.is(await page.evaluate(() => document.activeElement.closest('li').dataset.row), 'a_total\n{x="1"}');
  await page.keyboard.press('p');
  await until(page, 'it is paused', () => document.getElementById('state').textContent === 'paused');
  let asked = 0;
  page.on('request', () => asked++);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  t.is(asked, 0, 'a paused page reads nothing');
  await page.keyboard.press('p');
  await scrapes(page, 1);
  t.deepEqual(faults, []);
});

test.serial('a hidden page reads nothing', async (t) => {
  const { url } = await exporter(t, new Registry());
  const { page } = await openPage(t, browser, `${url}/`);
  await scrapes(page, 1);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  // One that had begun may still end.
  await new Promise((resolve) => setTimeout(resolve, 500));
  let asked = 0;
  page.on('request', () => asked++);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  t.is(asked, 0);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: false, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await scrapes(page, 1);
  t.true(asked > 0);
});

test.serial('an empty exposition, and an endpoint that goes away and comes back', async (t) => {
  const registry = new Registry();
  const first = await startExporter({ registry, host: '127.0.0.1', port: 0, selfMetrics: false });
  const { port } = first;
  const { page } = await openPage(t, browser, `${first.url}/`);
  await until(
    page,
    'it says that there is nothing',
    () => document.querySelector('#list .empty').textContent === 'The exposition is empty.',
  );
  await picture(page, 'empty');
  await first.close({ timeoutMs: 0 });
  t.is(
    await until(page, 'it says what is wrong', () => document.getElementById('alert').textContent),
    '/metrics does not answer. Trying again.',
  );
  await picture(page, 'failed');
  new Gauge({ name: 'back', help: 'h', registers: [registry] }).set(1);
  await exporter(t, registry, { port });
  await until(
    page,
    'it reads again',
    () => document.querySelector('[data-family=back]') !== null && document.getElementById('alert').hidden,
  );
  t.pass();
});

test.serial('below a path and behind a password', async (t) => {
  const registry = new Registry();
  new Gauge({ name: 'level', help: 'h', registers: [registry] }).set(3);
  const metrics = createMetricsHandler({
    registry,
    page: true,
    basicUsers: ['u:$2b$04$v/P7ECUzsPBAfs8Xw9ohmOqMENN6qTZxU8tb9AOMEQwDNAH54J6Rm'],
  });
  const server = http.createServer((request, response) => {
    if (!request.url.startsWith('/below')) return response.writeHead(404).end();
    request.url = request.url.slice('/below'.length) || '/';
    return metrics(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${server.address().port}`;
  for (const path of ['/below', '/below/']) {
    const { page, faults } = await openPage(t, browser, origin + path, {
      user: { username: 'u', password: 'right password' },
    });
    await until(page, 'it shows the exposition', () => document.querySelector('[data-family=level]') !== null);
    t.is(await lastValue(page, 'data-family', 'level'), 3);
    t.is(await page.$eval('#links a', (link) => link.getAttribute('href')), '/below/metrics');
    t.deepEqual(faults, []);
  }
});

test.serial('10,000 series: few elements, few requests, and every series can be found', async (t) => {
  const registry = new Registry({ cardinality: { maxSeries: 20_000 } });
  const calls = new Counter({ name: 'calls_total', help: 'h', labelNames: ['n'], registers: [registry] });
  for (let n = 0; n < 10_000; n++) calls.inc({ n }, n);
  const { url } = await exporter(t, registry);
  const { page, faults } = await openPage(t, browser, `${url}/`, {
    before: (page) =>
      page.evaluateOnNewDocument(() => {
        window.longest = 0;
        new PerformanceObserver((list) => {
          for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration);
        }).observe({ entryTypes: ['longtask'] });
      }),
  });
  await scrapes(page, 2);
  await page.click('#tab-families');
  await page.click('[data-family=calls_total] .main');
  t.true((await page.$$('.row')).length < 60, 'only the rows on the screen exist');
  let asked = 0;
  page.on('request', () => asked++);
  const began = performance.now();
  for (let n = 0; n < 10_000; n++) calls.inc({ n });
  await scrapes(page, 3);
  t.true(asked <= Math.ceil((performance.now() - began) / 1000) + 1, 'at most one request a second');
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await until(
    page,
    'the last rows',
    () =>
      document.querySelector('[data-series^="calls_total"]') !== null && document.querySelectorAll('.row').length < 60,
  );
  await page.evaluate(() => scrollTo(0, 0));
  await search(page, 'calls_total "7777"');
  await until(page, 'the series is found', () => document.querySelectorAll('.row.series').length === 1);
  t.is(await lastValue(page, 'data-series', 'calls_total{n="7777"}'), 7778);
  t.log(`the longest task of the page: ${await page.evaluate(() => Math.round(window.longest))} ms`);
  t.deepEqual(faults, []);
});

test.serial('a large exposition that is compressed is read to its end', async (t) => {
  const registry = new Registry({ cardinality: { maxSeries: 100_000 } });
  const calls = new Gauge({ name: 'calls', help: 'h'.repeat(50), labelNames: ['name'], registers: [registry] });
  for (let n = 0; n < 60_000; n++) calls.set({ name: `a_long_name_of_a_series_${n}` }, n);
  const { url } = await exporter(t, registry);
  const { page } = await openPage(t, browser, `${url}/`);
  const line = await until(
    page,
    'it is read',
    () => /^([\d,]+) series/.exec(document.getElementById('facts-line').textContent)?.[1],
  );
  t.true(Number(line.replaceAll(',', '')) > 60_000, line);
});

for (const theme of ['light', 'dark']) {
  test.serial(`${theme}: every part is accessible, and fits three widths`, async (t) => {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    const { request, execution } = record(registry);
    const { url } = await exporter(t, registry);
    const { page, faults } = await openPage(t, browser, `${url}/`, {
      before: (page) => page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]),
    });
    for (let at = 0; at < 4; at++) {
      for (let n = 1; n < 9; n++) request(n + at);
      await execution();
      await scrapes(page, 1);
    }
    t.is(await page.$eval('html', (root) => root.dataset.theme), theme);
    await page.evaluate(AXE);
    const parts = await page.$$eval('#tabs button:not([hidden])', (tabs) => tabs.map(({ dataset }) => dataset.tab));
    t.deepEqual(parts, ['overview', 'llm', 'agents', 'process', 'families', 'cardinality', 'endpoint']);
    for (const width of [1360, 820, 390]) {
      await page.setViewport({ width, height: 900 });
      for (const part of parts) {
        await page.click(`#tab-${part}`);
        await new Promise((resolve) => setTimeout(resolve, 150));
        t.is(
          await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
          0,
          `${part} at ${width}: nothing is wider than the screen`,
        );
        await picture(page, `${part}-${width}-${theme}`);
        // The widest and the narrowest layout have all elements.
        if (width === 820) continue;
        const { violations } = await page.evaluate(() => globalThis.axe.run());
        t.deepEqual(
          violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
          `${part} at ${width}`,
        );
      }
    }
    for (const open of ['#show-help', '#panel-llm .title']) {
      await page.click('#tab-llm');
      await page.click(open);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      t.deepEqual(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
        open,
      );
      await picture(page, `${open === '#show-help' ? 'help' : 'chart'}-${theme}`);
      await page.keyboard.press('Escape');
    }
    t.deepEqual(faults, []);
  });
}
