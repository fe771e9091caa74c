/**
 * Reads the exposition again and again into a store: once a second, more rarely if that is a lot of work, and never while the
 * page is paused or hidden.
 */
import { LineReader } from './parse.mjs';

const SHORTEST_MS = 1000;
/** The page's scripts may read and draw scrapes for a twentieth of the time. It may wait for a quarter. */
const WORK_FACTOR = 20;
const WAIT_FACTOR = 4;
/** How long it reads lines before the browser may draw. */
const SLICE_MS = 8;
const LONGEST_MS = 60_000;
/** After failures it waits longer, at most so many times as long: endpoints limit wrong credentials to 30 a minute. */
const MOST_PATIENCE = 8;
/** How long an endpoint may take to answer. */
const ANSWER_MS = 30_000;

/**
 * @typedef {object} Report
 * @property {'live' | 'paused' | 'failed'} state
 * @property {string} [error]
 * @property {number} intervalMs
 * @property {number} [bytes] of the exposition
 * @property {number} [ms] from the request to the last byte
 */

export class Scraper {
  /** Where the exposition may be; the first one is asked first. */
  #urls;
  #store;
  #tell;
  #isPaused = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isRunning = false;
  #intervalMs = SHORTEST_MS;
  #patience = 1;
  #workMs = 0;
  /** How long the last scrape took to show. */
  #showMs = 0;
  #lastMs = 0;

  /**
   * @param {string[]} urls
   * @param {import('./store.mjs').Store} store
   * @param {(report: Report) => void} tell called after each scrape
   */
  constructor(urls, store, tell) {
    this.#urls = urls;
    this.#store = store;
    this.#tell = tell;
    document.addEventListener('visibilitychange', () => this.#plan(0));
    this.#plan(0);
  }

  get isPaused() {
    return this.#isPaused;
  }

  set isPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#tell({ state: isPaused ? 'paused' : 'live', intervalMs: this.#intervalMs });
    this.#plan(0);
  }

  /** @param {number} ms */
  #plan(ms) {
    clearTimeout(this.#timer);
    if (this.#isRunning || this.#isPaused || document.hidden) return;
    this.#timer = setTimeout(() => this.#run(), ms);
  }

  async #run() {
    this.#isRunning = true;
    const began = performance.now();
    /** @type {Report} */
    let report;
    try {
      const { bytes, ms, workMs } = await this.#scrape();
      // One slow scrape, such as the first, must not delay the next ones for long.
      this.#workMs = (this.#workMs + workMs + this.#showMs) / 2;
      const wanted = Math.max(SHORTEST_MS, this.#workMs * WORK_FACTOR, Math.min(ms, this.#lastMs) * WAIT_FACTOR);
      this.#lastMs = ms;
      this.#intervalMs = Math.min(LONGEST_MS, wanted);
      this.#patience = 1;
      report = { state: 'live', intervalMs: this.#intervalMs, bytes, ms };
    } catch (error) {
      this.#patience = Math.min(MOST_PATIENCE, this.#patience * 2);
      report = { state: 'failed', error: reasonOf(error, this.#urls[0]), intervalMs: this.#intervalMs };
    }
    const from = performance.now();
    try {
      if (!this.#isPaused || report.state === 'failed') this.#tell(report);
    } catch (error) {
      // A fault of the page, which the endpoint has no part in. The next scrape may be shown again.
      console.error(error);
    }
    if (report.state === 'live') this.#showMs = performance.now() - from;
    this.#isRunning = false;
    this.#plan(Math.max(0, this.#intervalMs * this.#patience - (performance.now() - began)));
  }

  async #scrape() {
    const began = performance.now();
    const response = await this.#ask();
    const body = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    const lines = new LineReader(this.#store);
    // The system's clock may be set, this one only goes forward.
    this.#store.begin(performance.timeOrigin + performance.now());
    let [bytes, workMs] = [0, 0];
    for (let piece = await body.read(); !piece.done; piece = await body.read()) {
      bytes += piece.value.length;
      let from = performance.now();
      for (const part of parts(piece.value)) {
        lines.push(decoder.decode(part, { stream: true }));
        const ms = performance.now() - from;
        if (ms < SLICE_MS) continue;
        workMs += ms;
        await new Promise((resolve) => setTimeout(resolve));
        from = performance.now();
      }
      workMs += performance.now() - from;
    }
    const from = performance.now();
    lines.end();
    this.#store.end();
    return { bytes, ms: from - began, workMs: workMs + performance.now() - from };
  }

  /** The exposition of the first address that has one. It is the only one that is asked from then on. */
  async #ask() {
    let failure = '';
    for (const url of this.#urls) {
      const response = await fetch(url, {
        headers: { accept: 'text/plain;version=0.0.4' },
        cache: 'no-store',
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      if (response.ok && response.headers.get('content-type')?.startsWith('text/plain')) {
        this.#urls = [url];
        return response;
      }
      failure ||= `answers ${response.status} ${response.statusText}`;
      await response.body?.cancel();
      if (response.status !== 404) break;
    }
    throw new Error(failure);
  }
}

/** A part is read in about a millisecond. */
const PART_BYTES = 32_768;

/** @param {Uint8Array} bytes */
function* parts(bytes) {
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES);
}

/**
 * @param {unknown} error
 * @param {string} url
 */
function reasonOf(error, url) {
  const text = error instanceof Error ? error.message : String(error);
  return error instanceof TypeError ? `${url} does not answer` : `${url} ${text}`;
}
