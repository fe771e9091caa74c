// What the metrics must say, kept by the client beside the gateway: a second book of the same business. It knows
// the catalogue of names, labels and buckets by heart and asks no metrics library.

const PREFIX = 'llmdevops_llm_';

/** The catalogue's buckets. */
const BUCKETS = {
  request_duration_seconds: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600],
  streaming_time_to_first_token_seconds: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 20, 40, 80],
};

/** Every family and its type. */
export const FAMILIES = {
  llmdevops_llm_requests_total: 'counter',
  llmdevops_llm_request_duration_seconds: 'histogram',
  llmdevops_llm_tokens_total: 'counter',
  llmdevops_llm_errors_total: 'counter',
  llmdevops_llm_active_requests: 'gauge',
  llmdevops_llm_streaming_time_to_first_token_seconds: 'histogram',
  llmdevops_llm_streaming_chunks_total: 'counter',
  llmdevops_llm_streaming_interrupted_total: 'counter',
};

/** A bound as each format writes it. Before Prometheus 3, le="1" and le="1.0" are two series. */
const BOUND = {
  text: (bound) => String(bound),
  openmetrics: (bound) => (Number.isInteger(bound) ? `${bound}.0` : String(bound)),
};

/** One label set of one sample, as a string that does not depend on the order of its labels. */
export function seriesKey(name, labels) {
  const pairs = Object.keys(labels).sort();
  return `${name}{${pairs.map((label) => `${label}=${JSON.stringify(labels[label])}`).join(',')}}`;
}

export class Ledger {
  #values = new Map();
  #observations = new Map();

  /** Knows the models that are announced from the start, each with its outcomes at 0. */
  constructor(models) {
    for (const [model, provider] of Object.entries(models)) {
      this.#add('active_requests', { model, provider }, 0);
      for (const status of ['success', 'error', 'timeout', 'cancelled']) {
        this.#add('requests_total', { model, provider, operation: 'chat', status }, 0);
      }
    }
  }

  /**
   * @param call is what the client knows of a call: its model and provider, how it ended, the tokens and chunks it
   * saw; and durationSeconds and firstTokenSeconds, which only the gateway's clock can tell. Calls must come in the
   * order in which the gateway ended them: then the sums here are the same additions in the same order as the
   * gateway's, and must be equal to the last bit.
   */
  record(call) {
    const { model, provider, status, errorType, usage, chunks, interrupted } = call;
    const labels = { model, provider };
    this.#add('active_requests', labels, 0);
    this.#add('requests_total', { ...labels, operation: 'chat', status }, 1);
    this.#observe('request_duration_seconds', { ...labels, operation: 'chat' }, call.durationSeconds);
    if (usage !== undefined) {
      this.#add('tokens_total', { ...labels, type: 'input' }, usage.input);
      this.#add('tokens_total', { ...labels, type: 'output' }, usage.output);
    }
    if (errorType !== undefined) this.#add('errors_total', { ...labels, error_type: errorType }, 1);
    if (chunks > 0) this.#add('streaming_chunks_total', labels, chunks);
    if (interrupted !== undefined) this.#add('streaming_interrupted_total', { ...labels, reason: interrupted }, 1);
    if (call.firstTokenSeconds !== undefined) {
      this.#observe('streaming_time_to_first_token_seconds', labels, call.firstTokenSeconds);
    }
  }

  /** @param format text or openmetrics. @returns {Map<string, number>} every series there must be, and no other. */
  series(format) {
    const series = new Map(this.#values);
    for (const { name, labels, values } of this.#observations.values()) {
      const bounds = BUCKETS[name].map((bound) => [BOUND[format](bound), bound]);
      for (const [le, bound] of [...bounds, ['+Inf', Infinity]]) {
        const count = values.filter((value) => value <= bound).length;
        series.set(seriesKey(`${PREFIX}${name}_bucket`, { ...labels, le }), count);
      }
      const sum = values.reduce((total, value) => total + value, 0);
      series.set(seriesKey(`${PREFIX}${name}_sum`, labels), sum);
      series.set(seriesKey(`${PREFIX}${name}_count`, labels), values.length);
    }
    return series;
  }

  #add(name, labels, value) {
    const key = seriesKey(PREFIX + name, labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + value);
  }

  #observe(name, labels, value) {
    const key = seriesKey(name, labels);
    if (!this.#observations.has(key)) this.#observations.set(key, { name, labels, values: [] });
    this.#observations.get(key).values.push(value);
  }
}
