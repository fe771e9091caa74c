// The query API that Prometheus and VictoriaMetrics share.

import { seriesKey } from './ledger.mjs';
import { poll } from './processes.mjs';

export class QueryApi {
  #url;

  constructor(url) {
    this.#url = url;
  }

  get url() {
    return this.#url;
  }

  async get(path, parameters = {}) {
    const url = `${this.#url}${path}?${new URLSearchParams(parameters)}`;
    const answer = await fetch(url);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${text}`);
    return JSON.parse(text).data;
  }

  /**
   * The numbers of an instant vector, without its native histograms. They are JavaScript numbers: both servers print enough
   * digits to read the same double.
   */
  async query(expression) {
    // `nocache` is for VictoriaMetrics: without it, the answer may be from before the last scrape. Prometheus ignores
    // it.
    const { result } = await this.get('/api/v1/query', { query: expression, nocache: '1' });
    const numbers = result.filter(({ value }) => value !== undefined);
    return numbers.map(({ metric, value: [, text] }) => ({ labels: metric, value: parseValue(text) }));
  }

  /** @returns {Promise<number>} the one value of an expression with one series. */
  async scalar(expression) {
    const result = await this.query(expression);
    if (result.length !== 1) throw new Error(`Expected one series for ${expression} but received ${result.length}`);
    return result[0].value;
  }

  /** @returns {Promise<Map<string, number>>} every series of a job whose name has the prefix, without job and instance. */
  async seriesOf(job, prefix) {
    const series = new Map();
    for (const { labels, value } of await this.query(`{__name__=~"${prefix}.*",job="${job}"}`)) {
      const { __name__: name, job: _job, instance: _instance, ...own } = labels;
      series.set(seriesKey(name, own), value);
    }
    return series;
  }

  /** Waits for two more scrapes: the second one certainly starts after now. */
  async nextScrapes(job) {
    const scrapes = () => this.scalar(`count_over_time(up{job="${job}"}[1h])`);
    const before = await poll(scrapes, `the first scrape of ${job}`);
    await poll(async () => ((await scrapes()) >= before + 2 ? true : undefined), `two more scrapes of ${job}`);
  }
}

function parseValue(text) {
  return { '+Inf': Infinity, '-Inf': -Infinity }[text] ?? Number(text);
}

const DIFFERENCES_SHOWN_MAX = 20;

/** The differences, one per line, so that a failure shows the wrong series and not two lists of hundreds. */
export function differences(actual, expected, equal = Object.is) {
  const lines = [];
  for (const [key, value] of expected) {
    if (!actual.has(key)) lines.push(`missing: ${key} ${value}`);
    else if (!equal(actual.get(key), value)) lines.push(`${key} is ${actual.get(key)}, expected ${value}`);
  }
  for (const [key, value] of actual) if (!expected.has(key)) lines.push(`not expected: ${key} ${value}`);
  const more = lines.length - DIFFERENCES_SHOWN_MAX;
  return more > 0 ? [...lines.slice(0, DIFFERENCES_SHOWN_MAX), `and ${more} more`] : lines;
}
