/**
 * Shows one registry: as text, as objects, as the answer to a scrape. Collects first, then leaves gathering and
 * encoding to the core. Does not depend on formats.
 */
import { nativeAsync } from '../errors';
import { Metric } from '../metrics/metric';
import { seriesSet } from '../metrics/series';
import { parseFamilies } from '../metrics/values';
import { type Answer, addon, type NativeService, type Wanted } from '../native/addon';
import type { MetricObjectWithValues } from '../types';
import type { Answered } from './collections';
import { CoreMetric } from './core-metric';
import type { RegistryInternals } from './internals';
import { checkScrapeOptions, type ScrapeOptions, type ScrapeResponse, toResponse } from './scraping';
import { checkedTimeout } from './tasks';

/** True unless sharing began without being asked for: then texts and objects have this process's values, as in prom-client. */
let showsRun = true;

/** Says whether `metrics()` and objects show the other processes that share their metrics. */
export function showRun(shows: boolean): void {
  showsRun = shows;
}

/** The expositions of one registry. */
export class Expositions {
  readonly #registry: RegistryInternals;
  /** Services that answer `scrape()`, by whether they show the whole process. */
  readonly #services = new Map<boolean, NativeService>();

  constructor(registry: RegistryInternals) {
    this.#registry = registry;
  }

  /** The exposition of these families, or of all if there are no names. */
  async text(names: readonly string[] = [], more: Partial<Wanted> = {}): Promise<string> {
    const { collections, native } = this.#registry;
    const refused: string[] = [];
    await collections.run(names, { limitMs: checkedTimeout(undefined) }, ({ answer }) => refused.push(answer.name));
    const wanted = { ...this.#wanted(names), ...more };
    const { contentType } = wanted;
    const { text, mismatched } = await nativeAsync(async () =>
      native.isSmall(wanted.process) ? native.encodeNow(wanted) : native.encode(wanted),
    );
    this.#registry.warnOfMismatches(mismatched);
    // OpenMetrics has no comments.
    return contentType.startsWith('text') ? text + refused.map(commentOn).join('') : text;
  }

  /**
   * All samples as objects.
   *
   * @param isWanted selects families, by the metric; mounted registries have families without one
   * @param scope the values of which threads to show; those of `metrics()` if missing
   * @param more what to leave out
   */
  async json(
    isWanted: (metric: object | undefined) => boolean = () => true,
    scope?: ScrapeOptions['scope'],
    more: Partial<Wanted> = {},
  ): Promise<MetricObjectWithValues[]> {
    const { collections, defaultLabels, entries, native } = this.#registry;
    const refused: Answered[] = [];
    const wait = { limitMs: checkedTimeout(undefined) };
    const answers = await collections.run([], wait, (answered) => refused.push(answered));
    const shown = { ...this.#wanted([], scope), ...more };
    const { text, numbers } = await nativeAsync(async () =>
      native.isSmall(shown.process) ? native.readNow(shown) : native.read(shown),
    );
    const parsed = parseFamilies(text, numbers, (name) => {
      const metric = entries.get(name)?.metric;
      return metric instanceof Metric ? metric[seriesSet].known : undefined;
    });
    const askedOf = new Map(answers.map(({ metric, answer }) => [answer.name, metric]));
    const wanted = parsed.filter(({ name }) => isWanted(entries.get(name)?.metric ?? askedOf.get(name)));
    const families = wanted.map((family) => this.#complete(family, answers));
    this.#insert(
      refused.filter(({ metric }) => isWanted(metric)),
      families,
    );
    for (const { values } of families) {
      for (const { labels } of values as { labels: Record<string, unknown> }[]) {
        for (const [name, value] of Object.entries(defaultLabels)) labels[name] ??= value;
      }
    }
    return families;
  }

  /** A family of the core, with the parts of it that only JavaScript knows. */
  #complete(family: MetricObjectWithValues, answers: readonly Answered[]): MetricObjectWithValues {
    const { entries, mounts } = this.#registry;
    const metric = entries.get(family.name)?.metric;
    if (metric instanceof CoreMetric) return metric.complete(family);
    // With the values of mounted registries added, the family is no longer the foreign metric's answer.
    const answer = mounts.size > 0 ? undefined : answers.find(({ answer }) => answer.name === family.name)?.answer;
    if (answer === undefined) return family;
    return copyOf(answer);
  }

  /** Inserts the answers of metrics that no exposition can show, in the order of registration. JSON has no rules for names. */
  #insert(refused: readonly Answered[], families: MetricObjectWithValues[]): void {
    if (refused.length === 0) return;
    const entries = [...this.#registry.entries];
    for (const { metric, answer } of refused) {
      const position = entries.findIndex(([, entry]) => entry.metric === metric);
      const before = new Set(entries.slice(0, position).map(([name]) => name));
      const at = families.findLastIndex(({ name }) => before.has(name)) + 1;
      families.splice(at, 0, copyOf(answer));
    }
  }

  /** The answer to a scrape. */
  async scrape(options: ScrapeOptions): Promise<ScrapeResponse> {
    checkScrapeOptions(options);
    const limit = checkedTimeout(options.timeoutMs);
    const names = [...(options.names ?? [])];
    const service = this.#service(this.#registry.showsProcess(options.scope));
    const step = service.request(options.accept, options.acceptEncoding, names);
    if (step.visit === undefined) return toResponse(step.answer as Answer);
    await this.#registry.collections.run(names, { limitMs: limit });
    const answer = service.isSmall(step.visit) ? service.scrapeNow(step.visit) : await service.scrape(step.visit);
    this.#registry.warnOfMismatches(answer.mismatched);
    return toResponse(answer);
  }

  #service(process: boolean): NativeService {
    let service = this.#services.get(process);
    if (service === undefined) {
      const embedding = { hasCallback: false, hasChecks: false, ownValues: !process };
      service = this.#registry.createService(new addon.NativeConfig([]), embedding);
      this.#services.set(process, service);
    }
    return service;
  }

  #wanted(names: readonly string[], scope?: ScrapeOptions['scope']): Wanted {
    const { contentType } = this.#registry;
    const process = this.#registry.showsProcess(scope);
    return { contentType, process, names: [...names], withoutRun: !showsRun };
  }
}

/** Tells those who miss a metric in the exposition why. */
const commentOn = (name: string) => `# ${JSON.stringify(name)} is not shown: invalid name\n`;

/** A copy, because default labels may be added. */
function copyOf(answer: MetricObjectWithValues): MetricObjectWithValues {
  const values = (answer.values ?? []).map((value) => ({ ...value, labels: { ...value.labels } }));
  return { ...answer, values };
}
