// One LLM request, from its start to its end: takes the times and records the metrics. It knows neither HTTP nor
// the wire format.

import { performance } from 'node:perf_hooks';
import {
  activeRequests,
  errors,
  requestDuration,
  requests,
  streamingChunks,
  streamingInterrupted,
  timeToFirstToken,
  tokens,
} from './metrics.mjs';
import { OPERATION } from './models.mjs';

export class Call {
  #labels;
  #onEnd;
  #started = performance.now();
  #firstContentAt;
  #chunks = 0;
  #ended = false;

  /** @param onEnd is told what was recorded, once; the gateway writes its log with it. */
  constructor({ model, provider }, onEnd = () => {}) {
    this.#labels = { model, provider };
    this.#onEnd = onEnd;
    activeRequests.inc(this.#labels);
  }

  get chunks() {
    return this.#chunks;
  }

  /** A streamed chunk. The first one with content stops the clock; the one that only names the role is earlier. */
  chunk(hasContent) {
    this.#chunks += 1;
    if (hasContent) this.#firstContentAt ??= performance.now();
  }

  succeed(usage) {
    this.#end({ status: 'success', usage });
  }

  fail(errorType) {
    // The client's leaving and the deadline are outcomes of their own: neither says that the model is broken.
    const status = errorType === 'timeout' || errorType === 'cancelled' ? errorType : 'error';
    this.#end({ status, errorType });
  }

  // The one place that records, so that no path through the gateway records twice or releases the gauge twice.
  #end({ status, errorType, usage }) {
    if (this.#ended) return;
    this.#ended = true;

    const labels = this.#labels;
    const durationSeconds = (performance.now() - this.#started) / 1000;
    activeRequests.dec(labels);
    requests.inc({ ...labels, operation: OPERATION, status });
    requestDuration.observe({ ...labels, operation: OPERATION }, durationSeconds);

    // Absent and null both say that the provider did not report it, which is not the same as zero.
    if (usage != null) {
      tokens.inc({ ...labels, type: 'input' }, usage.prompt_tokens);
      tokens.inc({ ...labels, type: 'output' }, usage.completion_tokens);
    }
    if (errorType !== undefined) errors.inc({ ...labels, error_type: errorType });

    // Chunks are added once a stream: a counter is cheap, a label look-up for each token of each stream is waste.
    if (this.#chunks > 0) streamingChunks.inc(labels, this.#chunks);
    let firstTokenSeconds;
    if (this.#firstContentAt !== undefined) {
      firstTokenSeconds = (this.#firstContentAt - this.#started) / 1000;
      timeToFirstToken.observe(labels, firstTokenSeconds);
    }
    if (this.#chunks > 0 && status !== 'success') {
      const reason = { cancelled: 'client', timeout: 'timeout' }[status] ?? 'provider';
      streamingInterrupted.inc({ ...labels, reason });
    }

    this.#onEnd({ ...labels, status, errorType, durationSeconds, firstTokenSeconds, chunks: this.#chunks });
  }
}
