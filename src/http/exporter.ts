/**
 * The native door: an endpoint on a thread of its own, which answers while the event loop stands still. This side
 * answers what only JavaScript can: collectors, readiness checks, who may come in.
 */
import { clearInterval, setInterval } from 'node:timers';
import { collectDefaultMetrics } from '../collectors/default-metrics';
import { agentCollectorOf, llmCollectorOf } from '../collectors/on-first-use';
import type { DefaultMetricsGroup } from '../collectors/options';
import { type ListenerSettings, type MetricsConfig, nativeConfig } from '../config';
import { ConfigurationError, describe, messageOf, nativeAsync, RegistrationError } from '../errors';
import { forgetRefusals } from '../metrics/overflow';
import { addon, type HostMessage, type NativeExporter, type NativeTicket } from '../native/addon';
import type { RegistryInternals } from '../registry/internals';
import { internalsOf, type Registry } from '../registry/registry';
import { type Authenticate, asked } from './authenticate';
import { checkDoorOptions, type DoorOptions } from './door';
import { type ReadinessChecks, runChecks } from './readiness';

/** Settings of an exporter. */
export interface ExporterOptions extends DoorOptions, ListenerSettings {}

/** A running exporter. */
export interface Exporter {
  /** The base URL, without a path; `unix:` and the path for a Unix socket; empty where `METRICS_ENABLED` is false. */
  readonly url: string;
  /** The port that was taken; 0 for a Unix socket, and where there is no listener. */
  readonly port: number;
  /** Sets what `/ready` answers: 200 or 503. Ready from the start. */
  setReady(ready: boolean): void;
  /**
   * Takes no new connections and waits for open requests.
   *
   * @param options.timeoutMs how long open requests may go on before they are cut off. @default 5000
   */
  close(options?: { timeoutMs?: number }): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 5000;
/** A day: nobody waits longer for a client. */
const LONGEST_CLOSE_MS = 86_400_000;

/**
 * Starts an endpoint on a thread of its own: `/metrics`, `/health`, `/ready` and a page at `/`. It does not keep the
 * process alive, ends with the realm that started it, and answers while JavaScript is busy.
 *
 * @example
 * const exporter = await startExporter({ port: 9464 });
 * console.log(`${exporter.url}/metrics`);
 * @throws {ConfigurationError} `INVALID_CONFIG`
 * @throws {EndpointError} `BIND_FAILED`
 */
export async function startExporter(options: ExporterOptions = {}): Promise<Exporter> {
  const { registry, scope, authenticate, checks = {} } = checkDoorOptions(options);
  const config = nativeConfig(options);
  const values = config.values();
  if (!values.enabled) return { url: '', port: 0, setReady() {}, async close() {} };
  const internals = internalsOf(registry);
  const host = new Host(internals, authenticate, checks);
  const embedding = {
    hasCallback: authenticate !== undefined,
    hasChecks: Object.keys(checks).length > 0,
    ownValues: !internals.showsProcess(scope),
  };
  // The settings may raise limits.
  forgetRefusals();
  const exporter = await nativeAsync(() => addon.startExporter(internals.native, config, embedding, host.receive));
  try {
    return running(exporter, internals, collectWanted(registry, values));
  } catch (error) {
    await exporter.close(0);
    throw error;
  }
}

/** Collects what the settings ask for; returns what ends it. What the application collects already stays its own. */
function collectWanted(registry: Registry, values: MetricsConfig): (() => void)[] {
  const groups: DefaultMetricsGroup[] = [];
  if (values.collectorsProcess) groups.push('process');
  if (values.collectorsRuntime) groups.push('runtime');
  if (values.collectorsLlm) llmCollectorOf(registry);
  if (values.collectorsAgent) agentCollectorOf(registry);
  return groups.flatMap((group) => {
    try {
      return [collectDefaultMetrics({ register: registry, include: [group] })];
    } catch (error) {
      if (error instanceof RegistrationError && error.code === 'DUPLICATE_METRIC') return [];
      throw error;
    }
  });
}

/** An exporter that runs, as an object whose functions may be taken out of it. */
function running(
  native: NativeExporter,
  registry: RegistryInternals,
  stopCollecting: readonly (() => void)[],
): Exporter {
  native.beat();
  const heart = setInterval(() => native.beat(), addon.beatIntervalMs());
  heart.unref();
  const unwatch = registry.collections.watch((needed) => native.setCollects(needed));
  return {
    url: native.url,
    port: native.port,
    setReady: (ready) => native.setReady(ready),
    close: async ({ timeoutMs = CLOSE_TIMEOUT_MS } = {}) => {
      if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
        throw new ConfigurationError(
          'INVALID_CONFIG',
          `Expected milliseconds from 0 for timeoutMs but received ${describe(timeoutMs)}`,
        );
      }
      await native.close(Math.min(timeoutMs, LONGEST_CLOSE_MS));
      // Until then the loop is watched, and asked.
      clearInterval(heart);
      unwatch();
      for (const stop of stopCollecting) stop();
    },
  };
}

/** Answers what the native door asks. */
class Host {
  readonly #registry: RegistryInternals;
  readonly #authenticate: Authenticate | undefined;
  readonly #checks: ReadinessChecks;

  constructor(registry: RegistryInternals, authenticate: Authenticate | undefined, checks: ReadinessChecks) {
    this.#registry = registry;
    this.#authenticate = authenticate;
    this.#checks = checks;
  }

  /** Called by the addon; what it threw, nobody would catch. */
  readonly receive = (message: HostMessage): void => {
    const { kind, ticket, text } = message;
    if (ticket !== undefined && ticket !== null) {
      // A loop that stood still finds questions that nobody waits for any more.
      if (!ticket.begin()) return;
      this.#answer(message, ticket).catch((error: unknown) => {
        ticket.abandon();
        this.#registry.warn(`The exporter's question was not answered: ${messageOf(error)}`);
      });
    } else if (kind === 'mismatched') this.#registry.warnOfMismatches([text]);
    else this.#registry.warn(text);
  };

  async #answer({ kind, names, budgetMs, visitor }: HostMessage, ticket: NativeTicket): Promise<void> {
    if (kind === 'collect') {
      await this.#registry.collections.runForScrape(names, budgetMs);
      ticket.collected();
    } else if (kind === 'ready') {
      ticket.checked(await runChecks(this.#checks, budgetMs));
    } else {
      const allowed = await this.#authorize(visitor);
      if (allowed === undefined) ticket.abandon();
      else ticket.authorized(allowed);
    }
  }

  async #authorize([method, url, peer, ...flat]: string[]): Promise<boolean | undefined> {
    if (this.#authenticate === undefined) return undefined;
    const headers: Record<string, string> = {};
    for (let at = 0; at < flat.length; at += 2) {
      const [name, value] = [flat[at], flat[at + 1]];
      headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    }
    const visitor = { method, url, remoteAddress: peer === '' ? undefined : peer, headers };
    return asked(this.#authenticate, visitor, (message) => this.#registry.warn(message));
  }
}
