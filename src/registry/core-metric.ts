/**
 * Metrics whose samples the core makes itself. A registry lists them by name like any other, and a scrape asks
 * JavaScript for nothing: they are answered while the event loop is blocked.
 */
import { native } from '../errors';
import { parseFamilies } from '../metrics/values';
import type { NativeProcessFigure, NativeRegistry } from '../native/addon';
import type { Aggregator, ForeignMetric, LabelValues, MetricObjectWithValues, MetricType } from '../types';

/** One family of a collector of the core. */
export class CoreMetric implements ForeignMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: Aggregator;
  readonly #figure: NativeProcessFigure;
  readonly #labels: LabelValues;

  /**
   * @param labels of its samples, in the types they were given in
   * @internal
   */
  constructor(figure: NativeProcessFigure, labels: LabelValues, aggregator: Aggregator) {
    this.#figure = figure;
    this.#labels = labels;
    this.name = figure.name;
    this.help = figure.help;
    this.type = figure.kind;
    this.aggregator = aggregator;
  }

  /** Enters it in a registry of the core; returns the number under which it is listed there. @internal */
  enter(registry: NativeRegistry): number {
    return native(() => registry.addProcessFigure(this.#figure));
  }

  /** What the core answered, with what only JavaScript knows. @internal */
  completed(family: MetricObjectWithValues): MetricObjectWithValues {
    const labels = this.#labels as Record<string, string | number>;
    const values = family.values.map((value) => ({ ...value, labels: { ...labels } }));
    return { ...family, aggregator: this.aggregator, values };
  }

  /** Its samples now. */
  async get(): Promise<MetricObjectWithValues> {
    const { text, numbers } = this.#figure.read();
    const [family] = parseFamilies(text, numbers, () => undefined);
    const { name, help, type, aggregator } = this;
    return this.completed(family ?? { name, help, type, aggregator, values: [] });
  }
}
