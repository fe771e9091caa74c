/**
 * Starts pushers: threads of the core that gather a registry and send it to a receiver over a worker thread (`transport.ts`).
 * This module answers their questions for collectors, and has them push once more when the process ends (`end.ts`).
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { realMs } from '../clock';
import { type PusherSettings, pusherConfig } from '../config';
import { nativeAsync, refuseOption } from '../errors';
import { addon } from '../native/addon';
import { optionNames } from '../options';
import { shareProcesses } from '../processes/share';
import { Host } from '../registry/host';
import { internalsOf, Registry } from '../registry/registry';
import { checkScope } from '../registry/scraping';
import { forLog, warnOnce } from '../warnings';
import { endWithProcess } from './end';
import { openTransport } from './transport';

/** Settings of a pusher. */
export interface PusherOptions extends PusherSettings {
  /** The registry to push. @default register */
  registry?: Registry | undefined;
  /**
   * `process` pushes the values of all threads, and of all processes after `shareProcesses()`: then one process pushes, and the
   * others stand by. `own` pushes those of this thread, as in `registry.scrape()`.
   *
   * @default 'process' in the main thread, 'own' in a worker
   */
  scope?: 'process' | 'own' | undefined;
}

/** What a pusher has done so far. */
export interface PusherStats {
  /** Pushes that the receiver has accepted. */
  readonly pushes: number;
  /** Samples that it has accepted. */
  readonly samples: number;
  /** Bytes of accepted requests, compressed. */
  readonly bytes: number;
  /** Attempts that failed. Most are repeated. */
  readonly failures: number;
  /** Pushes that were given up. The next push has newer values. */
  readonly dropped: number;
  /** Pushes that wait to be sent. */
  readonly queued: number;
  /** When the receiver last accepted a push, in milliseconds since 1970. */
  readonly lastSuccessMs?: number | undefined;
  /** Why the last failed attempt failed. */
  readonly lastError?: string | undefined;
  /** True while another process pushes the totals of all, after `shareProcesses()`. This one takes over when that one ends. */
  readonly standsBy: boolean;
}

/** A running pusher. */
export interface Pusher {
  /**
   * Pushes now, and waits until the receiver has accepted it. While another process pushes the totals of all, it only runs the
   * collectors of this one.
   *
   * @param timeoutMs @default 10000
   * @throws {EndpointError} `PUSH_FAILED` with the receiver's answer if it did not accept the push, or not in time
   */
  flush(timeoutMs?: number): Promise<void>;
  /**
   * Pushes for the last time, marks the series as ended (remote write), and stops. Failures are only warned of. If another
   * process stands by, that one pushes, and the series go on.
   *
   * @param timeoutMs how long the last push may take. @default 2000
   */
  close(timeoutMs?: number): Promise<void>;
  /** What it has done so far. */
  stats(): PusherStats;
}

const OPTIONS = optionNames<Omit<PusherOptions, keyof PusherSettings>>('startPusher', {
  registry: true,
  scope: true,
}).names;

const FLUSH_MS = 10_000;
const CLOSE_MS = 2000;
/** One day. */
const LONGEST_MS = 86_400_000;

/**
 * Pushes a registry, every 15 seconds unless set otherwise, from a thread of its own: also while JavaScript is busy, and once
 * more when the process ends. It does not keep the process alive.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid setting or file, and if the process may not start worker threads
 * @throws {EndpointError} `PUSH_FAILED` if the system has no thread for it
 *
 * @example
 * const pusher = await startPusher({ url: 'http://127.0.0.1:9090/api/v1/write', job: 'nightly' });
 * await pusher.close();
 */
export async function startPusher(options: PusherOptions = {}): Promise<Pusher> {
  return (await start(options)).pusher;
}

/** A pusher, and the milliseconds between two of its pushes. */
interface Started {
  readonly pusher: Pusher;
  readonly intervalMs: number;
}

async function start(options: PusherOptions): Promise<Started> {
  if (typeof options !== 'object' || options === null) refuseOption('an object of options', 'startPusher()', options);
  const { registry = Registry.globalRegistry, scope } = options;
  if (!(registry instanceof Registry)) refuseOption('a Registry', 'registry', registry);
  checkScope(scope);
  const config = pusherConfig(options, OPTIONS);
  const { enabled, processesDir, timeoutMs: collectorMs } = config.values();
  if (!enabled) return DISABLED;
  const internals = internalsOf(registry);
  const host = new Host(internals, 'The pusher', collectorMs);
  const isOwn = !internals.showsProcess(scope);
  if (processesDir !== undefined && !isOwn) shareProcesses();
  const { number, worker } = await openTransport();
  const starting = nativeAsync(() => addon.startPusher(internals.native, config, isOwn, host.receive, number));
  const native = await starting.catch(async (error: unknown) => {
    await worker.terminate();
    throw error;
  });
  worker.unref();
  const unwatch = internals.collections.watch((needed) => native.setCollects(needed));
  let closed: Promise<void> | undefined;
  const close = (timeoutMs: number) => {
    closed ??= nativeAsync(() => native.close(timeoutMs)).finally(async () => {
      unwatch();
      forget();
      await worker.terminate();
    });
    return closed;
  };
  const forget = endWithProcess({
    flush: (timeoutMs) => native.flush(timeoutMs),
    close,
    beginClose: (timeoutMs) => native.beginClose(timeoutMs),
    closeNow: (timeoutMs) => native.closeNow(timeoutMs),
  });
  const pusher: Pusher = {
    flush: async (timeoutMs = FLUSH_MS) => nativeAsync(() => native.flush(checked(timeoutMs))),
    close: async (timeoutMs = CLOSE_MS) => close(checked(timeoutMs)),
    stats: () => native.stats(),
  };
  return { pusher, intervalMs: native.intervalMs };
}

/** The pusher of a program whose metrics are disabled. */
const DISABLED: Started = {
  pusher: {
    async flush() {},
    async close() {},
    stats: () => ({ pushes: 0, samples: 0, bytes: 0, failures: 0, dropped: 0, queued: 0, standsBy: false }),
  },
  intervalMs: Number.POSITIVE_INFINITY,
};

function checked(timeoutMs: unknown): number {
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) refuseOption('milliseconds from 0', 'timeoutMs', timeoutMs);
  return Math.min(timeoutMs, LONGEST_MS);
}

/** The longest time that an invocation waits for its push. */
const INVOCATION_MS = 2000;

/**
 * Wraps the handler of a serverless function, whose process is frozen between invocations: an invocation that ends when an
 * interval has passed since the last push waits for another one, for at most two seconds. The handler's result and errors stay
 * the same if the push fails. It is a handler that returns its result or a promise: callbacks are not waited for.
 *
 * @example
 * export const handler = withMetrics(async (event) => answer(event), { protocol: 'otlp' });
 */
export function withMetrics<T, A extends unknown[], R>(
  handler: (this: T, ...args: A) => R | PromiseLike<R>,
  options: PusherOptions = {},
): (this: T, ...args: A) => Promise<R> {
  if (typeof handler !== 'function') refuseOption('a function', 'withMetrics()', handler);
  const starting = start(options);
  starting.catch((error: unknown) => warnOnce(`Metrics are not pushed: ${forLog(error)}`));
  let lastMs = Number.NEGATIVE_INFINITY;
  const pushIfDue = async () => {
    const { pusher, intervalMs } = await starting;
    if (realMs() - lastMs < intervalMs) return;
    lastMs = realMs();
    await pusher.flush(INVOCATION_MS);
  };
  return async function (...args) {
    try {
      return await handler.apply(this, args);
    } finally {
      // The pusher itself warns of what the receiver answers.
      let timer: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, INVOCATION_MS);
      });
      await Promise.race([pushIfDue().catch(() => {}), over]);
      clearTimeout(timer);
    }
  };
}
