/**
 * Observes one series of a histogram, with an exemplar if the caller has labels for one.
 */
import type { ExemplarLabels } from '../metrics/exemplar';
import type { Histogram, HistogramSeries } from '../metrics/histogram';

/** The histograms whose buckets show a trace, without their namespace. */
export const WITH_EXEMPLARS: ReadonlySet<string> = new Set([
  'llm_request_duration_seconds',
  'llm_streaming_time_to_first_token_seconds',
  'agent_execution_duration_seconds',
]);

/** One series of such a histogram. */
export class ExemplarSeries {
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
