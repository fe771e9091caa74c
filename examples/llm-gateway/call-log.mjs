// Logs each call: wraps the collector's call and measures the times a second time. A judge compares the metrics with
// this log, so each time is given as the least and the most that the collector can have measured.

import { llm } from './metrics.mjs';

/** @returns a function that starts calls, which are logged when they end. */
export function loggedCalls(write) {
  return (target, id) => new LoggedCall(target, { id, write });
}

class LoggedCall {
  #call;
  #write;
  #about;
  #started;
  #firstToken;
  #ended = false;

  constructor(target, { id, write }) {
    this.#write = write;
    this.#about = { id, model: target.model, provider: target.provider };
    this.#started = timed(() => {
      this.#call = llm.startRequest(target);
    });
  }

  get chunks() {
    return this.#call.chunks;
  }

  chunk(hasContent) {
    const at = timed(() => this.#call.chunk(hasContent));
    if (hasContent) this.#firstToken ??= at;
  }

  end(end) {
    this.#finish({ status: 'success' }, () => this.#call.end(end));
  }

  fail(error) {
    const errorType = typeof error === 'string' ? error : error.type;
    // A cancelled request and a timeout have statuses of their own: neither shows that the model failed.
    const status = errorType === 'timeout' || errorType === 'cancelled' ? errorType : 'error';
    this.#finish({ status, errorType }, () => this.#call.fail(error));
  }

  #finish(outcome, finish) {
    if (this.#ended) return;
    this.#ended = true;
    const ended = timed(finish);
    this.#write({
      ...this.#about,
      ...outcome,
      chunks: this.chunks,
      durationSeconds: this.#secondsUntil(ended),
      firstTokenSeconds: this.#firstToken && this.#secondsUntil(this.#firstToken),
    });
  }

  #secondsUntil(moment) {
    return { min: (moment.before - this.#started.after) / 1000, max: (moment.after - this.#started.before) / 1000 };
  }
}

function timed(run) {
  const before = performance.now();
  run();
  return { before, after: performance.now() };
}
