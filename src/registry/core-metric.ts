/**
 * Implements metrics whose samples the core produces itself. A registry lists them like any other metric; a scrape
 * needs no JavaScript for them, so it shows them even while the event loop is blocked.
 */
import { native } from '../errors';
import { parseFamilies } from '../metrics/values';
import type { NativeProcessFigure, NativeRegistry } from '../native/addon';
import type { Aggregator, AnyLabels, ForeignMetric, MetricObjectWithValues, MetricType } from '../types';

/** One family that a collector of the core produces. */
export class CoreMetric implements ForeignMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: Aggregator;
  readonly #figure: NativeProcessFigure;
  readonly #labels: AnyLabels;

  /**
   * @param labels the labels of its samples, as the caller gave them
   * @internal
   */
  constructor(figure: NativeProcessFigure, labels: AnyLabels, aggregator: Aggregator) {
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

  /** Adds the facts that only JavaScript knows to the core's answer. @internal */
  complete(family: MetricObjectWithValues): MetricObjectWithValues {
    const labels = this.#labels as Record<string, string | number>;
    const values = family.values.map((value) => ({ ...value, labels: { ...labels } }));
    return { ...family, aggregator: this.aggregator, values };
  }

  /** Reads the samples. */
  async get(): Promise<MetricObjectWithValues> {
    const { text, numbers } = this.#figure.read();
    const [family] = parseFamilies(text, numbers, () => undefined);
    const { name, help, type, aggregator } = this;
    return this.complete(family ?? { name, help, type, aggregator, values: [] });
  }
}
