/**
 * Metrics whose values the core reads from the operating system. A registry lists them by name like any other, and a
 * scrape asks JavaScript for nothing: they are answered while the event loop is blocked.
 */
import { native } from '../errors';
import { textOf } from '../labels/value';
import { addon, type NativeProcessFigure, type NativeRegistry } from '../native/addon';
import { parseFamilies } from '../registry/values';
import type { Aggregator, ForeignMetric, MetricObjectWithValues, MetricType } from '../types';
import type { Naming, Part } from './part';

/** One figure of the process. */
export class ProcessMetric implements ForeignMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricType;
  readonly aggregator: Aggregator;
  readonly #figure: NativeProcessFigure;
  readonly #labels: Naming['labels'];

  /** @internal */
  constructor(figure: NativeProcessFigure, labels: Naming['labels']) {
    this.#figure = figure;
    this.#labels = labels;
    this.name = figure.name;
    this.help = figure.help;
    this.type = figure.kind;
    // Start times cannot be added up; everything else of several processes can.
    this.aggregator = figure.figure === 'process_start_time_seconds' ? 'omit' : 'sum';
  }

  /** Enters it in a registry of the core and returns its place. @internal */
  place(registry: NativeRegistry): number {
    return native(() => registry.addProcessFigure(this.#figure));
  }

  /** What the core answered, with what only JavaScript knows. @internal */
  completed(family: MetricObjectWithValues): MetricObjectWithValues {
    const labels = this.#labels as Record<string, string | number>;
    const values = family.values.map((value) => ({ ...value, labels: { ...labels } }));
    return { ...family, aggregator: this.aggregator, values };
  }

  /** The figure now. */
  async get(): Promise<MetricObjectWithValues> {
    const { text, numbers } = this.#figure.read();
    const [family] = parseFamilies(text, numbers, () => undefined);
    const { name, help, type } = this;
    return this.completed(family ?? { name, help, type, aggregator: this.aggregator, values: [] });
  }
}

/** The figures of these names that the platform tells; it tells all of them on Linux. */
export function processPart(figures: readonly string[], { prefix, labels }: Naming): Part {
  const flat = Object.entries(labels).flatMap(([name, value]) => [name, textOf(name, value)]);
  const told = native(() => addon.processFigures(prefix, flat));
  const wanted = told.filter(({ figure }) => figures.includes(figure));
  return { metrics: wanted.map((figure) => new ProcessMetric(figure, labels)) };
}
