/**
 * Records the metrics of HTTP requests: owns the families, the series of each method, route and class of status, and the
 * number of active requests. Must not know request objects or frameworks.
 */

import { CappedNames } from '../../labels/capped-names';
import { OTHER } from '../../labels/value';
import type { CounterSeries } from '../../metrics/counter';
import type { Gauge, GaugeSeries } from '../../metrics/gauge';
import type { HistogramSeries } from '../../metrics/histogram';
import { forLog, guarded, processLogger, quietly } from '../../warnings';
import type { CheckedSettings, HttpRequestLine } from './options';

/** The route of requests that no route matched. */
export const UNMATCHED = 'unmatched';

/** The class of a response's status; `aborted` for a response that ended before it was complete. */
export type StatusClass = `${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}xx` | 'aborted';

/** Classes by the first digit of the status. Node.js sends statuses up to 999. */
const CLASSES: readonly StatusClass[] = ['aborted', '1xx', '2xx', '3xx', '4xx', '5xx', '6xx', '7xx', '8xx', '9xx'];

/** The class of a status code. */
export function classifyStatus(status: number): StatusClass {
  return CLASSES[Math.trunc(status / 100)] ?? 'aborted';
}

/** The methods of RFC 9110, and PATCH. Clients may send any other method, so these share one label value. */
export const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
]);

/** The outcome of a request whose response has ended. */
export interface HttpOutcome {
  readonly route: string;
  readonly statusClass: StatusClass;
  readonly seconds: number;
  /** Bytes of the request's body; undefined if not counted. */
  readonly requestBytes: number | undefined;
  /** Bytes of the response's body; undefined if not counted. */
  readonly responseBytes: number | undefined;
}

/** The series of one method, route and class. */
interface OutcomeSeries {
  readonly requests: CounterSeries;
  readonly seconds: HistogramSeries;
  readonly requestBytes: HistogramSeries | undefined;
  readonly responseBytes: HistogramSeries | undefined;
}

/** The active requests of one method. The count is kept here, because the gauge may be reset in the meantime. */
class InFlight {
  readonly #series: GaugeSeries;
  #count = 0;

  constructor(series: GaugeSeries) {
    this.#series = series;
  }

  add(delta: number): void {
    this.#count += delta;
    this.#series.set(this.#count);
  }
}

/** The state of one method: its active requests, and its series by route and then by class. */
export interface MethodRecord {
  readonly name: string;
  readonly inFlight: InFlight;
  readonly outcomes: Map<string, Partial<Record<StatusClass, OutcomeSeries>>>;
}

/** Active requests by gauge and method, so that several middlewares on one registry count together. */
const inFlights = new WeakMap<Gauge<'method'>, Map<string, InFlight>>();

function inFlightOf(gauge: Gauge<'method'>, method: string): InFlight {
  const byMethod = inFlights.get(gauge) ?? new Map<string, InFlight>();
  inFlights.set(gauge, byMethod);
  const known = byMethod.get(method) ?? new InFlight(gauge.labels({ method }));
  byMethod.set(method, known);
  return known;
}

const LABELS = ['method', 'route', 'status_class'] as const;

/** Gets or creates the families of a registry. */
function familiesOf({ registry, prefix, durationBuckets, sizeBuckets, sizes }: CheckedSettings) {
  const size = (name: string, help: string) =>
    sizes
      ? registry.histogram({ name: `${prefix}${name}`, help, labelNames: LABELS, buckets: sizeBuckets })
      : undefined;
  return {
    requests: registry.counter({
      name: `${prefix}http_requests_total`,
      help: 'HTTP requests whose response has ended',
      labelNames: LABELS,
    }),
    seconds: registry.histogram({
      name: `${prefix}http_request_duration_seconds`,
      help: 'Time from a request to the end of its response',
      labelNames: LABELS,
      buckets: durationBuckets,
    }),
    requestBytes: size('http_request_size_bytes', 'Size of the bodies of HTTP requests'),
    responseBytes: size('http_response_size_bytes', 'Size of the bodies of HTTP responses'),
    active: registry.gauge({
      name: `${prefix}http_active_requests`,
      help: 'HTTP requests whose response has not ended',
      labelNames: ['method'],
    }),
  };
}

/** Records requests. Call `begin()` once for each request, and then `end()` once. */
export class HttpRecorder {
  readonly sizes: boolean;
  readonly #families: ReturnType<typeof familiesOf>;
  readonly #isIgnored: CheckedSettings['isIgnored'];
  readonly #methods = new Map<string, MethodRecord>();
  readonly #routes: CappedNames;
  readonly #warned = new Set<string>();

  /** @param yields leaves a request to any other recorder with the same metrics */
  constructor(
    settings: CheckedSettings,
    readonly yields = false,
  ) {
    this.sizes = settings.sizes;
    this.#families = familiesOf(settings);
    this.#isIgnored = settings.isIgnored;
    this.#routes = new CappedNames(settings.maxRoutes);
  }

  /** True if a request is not to be recorded. */
  ignores(method: string | undefined, target: string | undefined): boolean {
    const isIgnored = this.#isIgnored;
    if (isIgnored === undefined) return false;
    const request: HttpRequestLine = { method: method ?? 'GET', path: pathOf(target ?? '/') };
    return this.guarded('ignore', () => isIgnored(request)) === true;
  }

  /** Starts to record a request. */
  begin(method: string | undefined): MethodRecord {
    const record = this.#methodOf(method ?? 'GET');
    quietly(() => record.inFlight.add(1));
    return record;
  }

  /** Forgets a request that was begun. */
  leave(method: MethodRecord): void {
    quietly(() => method.inFlight.add(-1));
  }

  /** True if two recorders record to the same metrics, so that a request would count twice. */
  hasMetricsOf(other: HttpRecorder): boolean {
    return this.#families.requests === other.#families.requests;
  }

  /** Records the outcome of a request. */
  end(method: MethodRecord, outcome: HttpOutcome): void {
    // Called by events of the response: with the policy `throw`, an error would end the process.
    quietly(() => this.#end(method, outcome));
  }

  #end(method: MethodRecord, outcome: HttpOutcome): void {
    method.inFlight.add(-1);
    const { statusClass, requestBytes, responseBytes } = outcome;
    const series = method.outcomes.get(outcome.route)?.[statusClass] ?? this.#miss(method, outcome);
    series.requests.inc();
    series.seconds.observe(outcome.seconds);
    if (requestBytes !== undefined) series.requestBytes?.observe(requestBytes);
    if (responseBytes !== undefined) series.responseBytes?.observe(responseBytes);
  }

  /** Runs a callback of the application. An error never reaches the request; the first one of each name logs a warning. */
  guarded<R>(name: string, run: () => R): R | undefined {
    return guarded(run, (error) => {
      if (this.#warned.has(name)) return;
      this.#warned.add(name);
      processLogger.warn(`${name} of createHttpMetrics() failed: ${forLog(error)}`);
    });
  }

  #methodOf(given: string): MethodRecord {
    const name = METHODS.has(given) ? given : OTHER;
    const known = this.#methods.get(name);
    if (known !== undefined) return known;
    const record = { name, inFlight: inFlightOf(this.#families.active, name), outcomes: new Map() };
    this.#methods.set(name, record);
    return record;
  }

  #miss(method: MethodRecord, { route: wanted, statusClass }: HttpOutcome): OutcomeSeries {
    const route = this.#admitted(wanted);
    const outcomes = method.outcomes.get(route) ?? {};
    method.outcomes.set(route, outcomes);
    const { requests, seconds, requestBytes, responseBytes } = this.#families;
    const labels = { method: method.name, route, status_class: statusClass };
    outcomes[statusClass] ??= {
      requests: requests.labels(labels),
      seconds: seconds.labels(labels),
      requestBytes: requestBytes?.labels(labels),
      responseBytes: responseBytes?.labels(labels),
    };
    return outcomes[statusClass];
  }

  /** The route, or `other` once there are too many. */
  #admitted(route: string): string {
    return route === UNMATCHED ? route : this.#routes.admit(route);
  }
}

/** The path of a request target. */
function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
