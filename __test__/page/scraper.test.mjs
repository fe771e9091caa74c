// Tests how often the page scrapes, by a clock of the test, and what it tells when something throws.

import test from 'ava';
import { Scraper } from '../../crate/core/page/scraper.mjs';
import { Store } from '../../crate/core/page/store.mjs';
import { makeDocument } from './support/elements.mjs';

makeDocument();
let now = 0;
/** @type {{ run: () => void, ms: number }[]} */
let planned = [];
const real = { fetch, performance, setTimeout, error: console.error };

test.beforeEach(() => {
  [now, planned] = [0, []];
  globalThis.performance = { timeOrigin: 0, now: () => now };
  globalThis.setTimeout = (run, ms = 0) => planned.push({ run, ms });
  globalThis.fetch = async () => new Response('a 1\n', { headers: { 'content-type': 'text/plain' } });
});

test.afterEach.always(() => {
  globalThis.performance = real.performance;
  globalThis.setTimeout = real.setTimeout;
  globalThis.fetch = real.fetch;
  console.error = real.error;
});

/** Does what is planned next, until the scraper plans again. */
async function next() {
  const { run, ms } = planned.pop();
  now += ms;
  run();
  while (planned.length === 0) await new Promise(setImmediate);
}

test.serial('the interval is twenty times the work, with that of ending a scrape', async (t) => {
  class Slow extends Store {
    end() {
      super.end();
      now += 400;
    }
  }
  const told = [];
  new Scraper(['/metrics'], new Slow(), (report) => told.push(report));
  for (let at = 0; at < 12; at++) await next();
  t.is(Math.round(told.at(-1).intervalMs / 100), 80);
  t.is(told.at(-1).ms, 0);
});

test.serial('the interval is twenty times the work, with that of showing', async (t) => {
  const told = [];
  new Scraper(['/metrics'], new Store(), (report) => {
    told.push(report);
    now += 400;
  });
  for (let at = 0; at < 14; at++) await next();
  t.is(Math.round(told.at(-1).intervalMs / 100), 80);
});

test.serial("a fault while a scrape is shown is not the endpoint's, and the next scrape is shown", async (t) => {
  const [told, errors] = [[], []];
  console.error = (error) => errors.push(error);
  const fault = new TypeError('no context');
  new Scraper(['/metrics'], new Store(), (report) => {
    told.push(report.state);
    if (told.length === 1) throw fault;
  });
  await next();
  t.is(planned[0].ms, 1000);
  await next();
  t.deepEqual(told, ['live', 'live']);
  t.deepEqual(errors, [fault]);
});

test.serial('an endpoint that does not answer is told', async (t) => {
  globalThis.fetch = async () => {
    throw new TypeError('fetch failed');
  };
  const told = [];
  new Scraper(['/metrics'], new Store(), (report) => told.push(report));
  await next();
  t.deepEqual(told, [{ state: 'failed', error: '/metrics does not answer', intervalMs: 1000 }]);
  t.is(planned[0].ms, 2000);
});
