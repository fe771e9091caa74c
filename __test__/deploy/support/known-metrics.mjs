// Lists every sample name that a query may use, with its labels and their words: from the catalogue, from
// docs/endpoint.md for the endpoint's own metrics, and what Prometheus adds to each scrape.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const { addon } = createRequire(import.meta.url)('../../../dist/native/addon.js');

/** The labels that Prometheus adds to every series. */
const TARGET = ['job', 'instance'];
const OF_PROMETHEUS = ['up', 'scrape_duration_seconds', 'scrape_samples_scraped', 'scrape_series_added'];

/**
 * @returns {Promise<Map<string, Map<string, string[]>>>} by sample name its labels, by label its words; an empty list
 * allows any.
 */
export async function knownMetrics() {
  const known = new Map();
  for (const { name, kind, labels } of [
    ...addon.catalogue(false),
    ...addon.catalogue(true),
    ...(await selfMetrics()),
  ]) {
    const words = [...TARGET.map((label) => [label, []]), ...labels.map((label) => [label.name, label.words])];
    const own = name.startsWith('llmdevops_') ? name : `llmdevops_${name}`;
    if (kind !== 'histogram') known.set(own, new Map(words));
    else {
      known.set(`${own}_bucket`, new Map([...words, ['le', []]]));
      for (const suffix of ['_sum', '_count']) known.set(own + suffix, new Map(words));
    }
  }
  for (const name of OF_PROMETHEUS) known.set(name, new Map(TARGET.map((label) => [label, []])));
  return known;
}

async function selfMetrics() {
  const page = await readFile(new URL('../../../docs/endpoint.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| (`llmdevops_[^|]+`) \| (counter|gauge|histogram) \|/gm);
  return [...rows].flatMap(([, cell, kind]) => {
    let first;
    return [...cell.matchAll(/`([\w…]+)(?:\{(\w+)\})?`/g)].map(([, written, label]) => {
      // The page writes the second name of a pair by its end only: …_misses_total.
      first ??= written;
      const name = written.replace(/^…/, first.replace(/(_[a-z]+){2}$/, ''));
      return { name, kind, labels: label === undefined ? [] : [{ name: label, words: [] }] };
    });
  });
}
