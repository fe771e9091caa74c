/**
 * Histograms whose buckets show a trace: one child, observed with an exemplar where there is one and plainly where not.
 */
import type { ExemplarLabels } from '../metrics/exemplar';
import type { Histogram, HistogramSeries } from '../metrics/histogram';

/** The names of those, without the namespace. */
export const EXEMPLARY: ReadonlySet<string> = new Set([
  'llm_request_duration_seconds',
  'llm_streaming_time_to_first_token_seconds',
  'agent_execution_duration_seconds',
]);

/** One child of such a histogram. */
export class ExemplarySeries {
  readonly #histogram: Histogram;
  readonly #labels: Readonly<Record<string, string>>;
  readonly #series: HistogramSeries;

  constructor(histogram: Histogram, labels: Readonly<Record<string, string>>) {
    this.#histogram = histogram;
    this.#labels = labels;
    this.#series = histogram.labels(labels);
  }

  observe(value: number, exemplarLabels: ExemplarLabels | undefined): void {
    if (exemplarLabels === undefined) this.#series.observe(value);
    else this.#histogram.observe({ labels: this.#labels, value, exemplarLabels });
  }
}
