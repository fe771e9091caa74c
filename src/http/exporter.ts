/**
 * The native door: an endpoint on a thread of its own, which answers even while the event loop is blocked. This module
 * answers its questions to JavaScript: run collectors, run readiness checks, ask `authenticate`.
 */
import { clearInterval, setImmediate, setInterval } from 'node:timers';
import { agentCollectorOf, collectYielding, llmCollectorOf } from '../collectors/on-first-use';
import type { DefaultMetricsGroup } from '../collectors/options';
import { type ListenerSettings, type MetricsConfig, nativeConfig } from '../config';
import { EndpointError, isPortInUse, nativeAsync, RegistrationError, refuseOption } from '../errors';
import { forgetRefusals } from '../metrics/overflow';
import { addon, type HostMessage, type NativeExporter, type NativeTicket } from '../native/addon';
import { checkOptionNames, optionNames } from '../options';
import { isSharing, shareProcesses, shareWithWorkers } from '../processes/share';
import { Host } from '../registry/host';
import type { RegistryInternals } from '../registry/internals';
import { internalsOf, type Registry } from '../registry/registry';
import { type Authenticate, asked, joinedHeaders } from './authenticate';
import { checkDoorOptions, checkedReady, DOOR_OPTIONS, type DoorOptions } from './door';
import type { CheckRunner } from './readiness';
import { startOrStandBy } from './standby';

/** Settings of an exporter. */
export interface ExporterOptions extends DoorOptions, ListenerSettings {}

/** A running exporter. */
export interface Exporter {
  /** The base URL, without a path. `unix:` and the path for a Unix socket; empty if `METRICS_ENABLED` is false. */
  readonly url: string;
  /** The port that the exporter listens on; 0 for a Unix socket, or if there is no listener. */
  readonly port: number;
  /** Sets the answer of `/ready`: 200 or 503. Initially 200. */
  setReady(ready: boolean): void;
  /**
   * Accepts no new connections and waits for open requests. Once the promise is resolved, nothing of the exporter is left
   * in the event loop.
   *
   * @param options.timeoutMs milliseconds after which open requests are cut off, at most one day. @default 5000
   * @throws {ConfigurationError} `INVALID_CONFIG` for a negative or invalid `timeoutMs`
   */
  close(options?: { timeoutMs?: number }): Promise<void>;
}

const CLOSE_OPTIONS = optionNames<NonNullable<Parameters<Exporter['close']>[0]>>('close', { timeoutMs: true });
const CLOSE_TIMEOUT_MS = 5000;
/** One day. */
const LONGEST_CLOSE_MS = 86_400_000;

/**
 * Starts an endpoint on a thread of its own: `/metrics`, `/health`, `/ready` and a page at `/`. It does not keep the
 * process alive, ends with the realm that started it, and answers while JavaScript is busy.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid setting
 * @throws {EndpointError} `BIND_FAILED` if the address or socket cannot be bound
 *
 * @example
 * const exporter = await startExporter({ port: 9464 });
 * console.log(`${exporter.url}/metrics`);
 */
export function startExporter(options: ExporterOptions = {}): Promise<Exporter> {
  return startOn(options, makeRoom);
}

/** @param makeRoom frees a port that is in use, if it can; without it the exporter is not the program's own wish */
async function startOn(options: ExporterOptions, makeRoom?: (port: number) => Promise<boolean>): Promise<Exporter> {
  const { registry, scope, authenticate, checks } = checkDoorOptions(options);
  const config = nativeConfig(options, { of: 'startExporter', hasListener: true, more: DOOR_OPTIONS });
  const values = config.values();
  if (!values.enabled) return { url: '', port: 0, setReady() {}, async close() {} };
  const internals = internalsOf(registry);
  const host = new DoorHost(internals, authenticate, checks, values.timeoutMs);
  const embedding = {
    hasCallback: authenticate !== undefined,
    hasChecks: !checks.isEmpty,
    ownValues: !internals.showsProcess(scope),
  };
  // The settings may raise limits.
  forgetRefusals();
  const start = () =>
    nativeAsync(() => addon.startExporter(internals.native, config, embedding, host.receive)).catch(
      (error: unknown) => {
        throw explained(error, values.port);
      },
    );
  const startRunning = async (): Promise<Exporter> => {
    const exporter = await start().catch(async (error: unknown) => {
      if (!isPortInUse(error) || !(await makeRoom?.(values.port))) throw error;
      return start();
    });
    try {
      return running(exporter, internals, collectWanted(registry, values));
    } catch (error) {
      await exporter.close(0);
      throw error;
    }
  };
  if (values.processesDir !== undefined) shareProcesses();
  // An exporter that does not show the other processes cannot take the place of theirs.
  const hasPort = values.socket === undefined && values.port !== 0;
  if (embedding.ownValues || !(makeRoom === undefined ? isSharing() : shareWithWorkers()) || !hasPort)
    return startRunning();
  return startOrStandBy({
    start: startRunning,
    collect: () => collectWanted(registry, values),
    isTaken: () => addon.isPortTaken(config),
    checkClose: checkedTimeout,
    url: urlOf(values),
    port: values.port,
  });
}

/** The URL that an exporter of these settings has, as the core writes it. */
function urlOf({ host, port, tlsCertFile }: MetricsConfig): string {
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  const address = reached.includes(':') ? `[${reached}]` : reached;
  return `${tlsCertFile === undefined ? 'http' : 'https'}://${address}:${port}`;
}

/** The milliseconds that `close()` waits. */
function checkedTimeout(options: Parameters<Exporter['close']>[0] = {}): number {
  if (typeof options !== 'object' || options === null) refuseOption('options', 'close()', options);
  checkOptionNames(options, CLOSE_OPTIONS);
  const { timeoutMs = CLOSE_TIMEOUT_MS } = options;
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) refuseOption('milliseconds from 0', 'timeoutMs', timeoutMs);
  return Math.min(timeoutMs, LONGEST_CLOSE_MS);
}

/** An exporter that ends if the program starts one on its port. */
let yielding: Promise<Exporter> | undefined;

/** Starts an exporter with the settings of the environment, which makes room for one that the program starts. */
export function startYieldingExporter(options: ExporterOptions = {}): Promise<Exporter> {
  yielding = startOn(options);
  // Its caller handles the error.
  yielding.catch(() => {});
  return yielding;
}

/** Closes the exporter that yields. @returns false if none has the port */
async function makeRoom(port: number): Promise<boolean> {
  const exporter = await yielding?.catch(() => undefined);
  if (exporter === undefined || exporter.port !== port) return false;
  yielding = undefined;
  await exporter.close({ timeoutMs: 1000 });
  return true;
}

/** In a worker of `node:cluster`, another worker may have the port: says what to do. */
function explained(error: unknown, port: number): unknown {
  if (!isPortInUse(error)) return error;
  // Few programs need the module. Node.js itself has loaded it in a worker, before any code of the program.
  const cluster = require('node:cluster') as typeof import('node:cluster').default;
  if (!cluster.isWorker) return error;
  const own = `startExporter({ port: ${port} + cluster.worker.id })`;
  return new EndpointError(
    error.code,
    `${error.message}. Each worker of node:cluster needs an exporter port of its own: ${own}, and a target for each in Prometheus; after shareProcesses() or startExporter() in the primary, all may have one`,
  );
}

/**
 * Starts the collectors that the settings turn on. Leaves default metrics alone that the application has already registered.
 *
 * @returns functions that stop the started collectors
 */
function collectWanted(registry: Registry, values: MetricsConfig): (() => void)[] {
  const groups: DefaultMetricsGroup[] = [];
  if (values.collectorsProcess) groups.push('process');
  if (values.collectorsRuntime) groups.push('runtime');
  if (values.collectorsLlm) llmCollectorOf(registry);
  if (values.collectorsAgent) agentCollectorOf(registry);
  return groups.flatMap((group) => {
    try {
      return [collectYielding({ register: registry, include: [group] })];
    } catch (error) {
      if (error instanceof RegistrationError && error.code === 'DUPLICATE_METRIC') return [];
      throw error;
    }
  });
}

/** The public object of a running exporter. Its functions do not use `this`. */
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
    setReady: (ready) => native.setReady(checkedReady(ready)),
    close: async (options) => {
      await native.close(checkedTimeout(options));
      // Node.js reports freed handles, to test runners for example, when the event loop has turned.
      await new Promise((resolve) => setImmediate(resolve));
      // Only now: until the native side has closed, it watches the event loop and asks questions.
      clearInterval(heart);
      unwatch();
      for (const stop of stopCollecting) stop();
    },
  };
}

/** Answers the questions of the native door. */
class DoorHost extends Host {
  readonly #authenticate: Authenticate | undefined;
  readonly #checks: CheckRunner;

  constructor(
    registry: RegistryInternals,
    authenticate: Authenticate | undefined,
    checks: CheckRunner,
    timeoutMs: number,
  ) {
    super(registry, 'The exporter', timeoutMs);
    this.#authenticate = authenticate;
    this.#checks = checks;
  }

  protected override async answer(message: HostMessage, ticket: NativeTicket): Promise<void> {
    const { kind, budgetMs, visitor } = message;
    if (kind === 'collect') {
      await super.answer(message, ticket);
    } else if (kind === 'ready') {
      ticket.checked(await this.#checks.run(budgetMs, this.warnings));
    } else {
      const allowed = await this.#authorize(visitor);
      if (allowed === undefined) ticket.abandon();
      else ticket.authorized(allowed);
    }
  }

  async #authorize([method, url, peer, ...flat]: string[]): Promise<boolean | undefined> {
    if (this.#authenticate === undefined) return undefined;
    const visitor = { method, url, remoteAddress: peer === '' ? undefined : peer, headers: joinedHeaders(flat) };
    return asked(this.#authenticate, visitor, this.warnings);
  }
}
