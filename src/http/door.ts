/**
 * The part that all doors in JavaScript share. A door passes each request to the core's scrape service and carries out the
 * steps that the service returns. Must not know any server or framework.
 */
import { setImmediate } from 'node:timers';
import { type EndpointSettings, nativeConfig } from '../config';
import { ConfigurationError, describe } from '../errors';
import { type Answer, addon, type DoorStep, type NativeBody, type NativeService } from '../native/addon';
import { optionNames } from '../options';
import type { RegistryInternals } from '../registry/internals';
import { internalsOf, Registry } from '../registry/registry';
import { checkScope, toHeaders } from '../registry/scraping';
import { type Authenticate, asked, checkAuthenticate } from './authenticate';
import { checkChecks, type ReadinessChecks, runChecks } from './readiness';

/** Settings of a door. */
export interface DoorOptions extends EndpointSettings {
  /** The registry to scrape. @default register */
  registry?: Registry | undefined;
  /**
   * `process` shows the values of all threads, `own` those of this thread, as in `registry.scrape()`.
   *
   * @default 'process' in the main thread, 'own' in a worker
   */
  scope?: 'process' | 'own' | undefined;
  /**
   * Decides about requests that no token or user has allowed. The request is refused if the callback returns anything but
   * `true`, rejects, or takes longer than two seconds.
   */
  authenticate?: Authenticate | undefined;
  /** Checks that `/ready` runs, by name. `/ready` answers 503 if one returns `false`, throws, rejects or takes too long. */
  checks?: ReadinessChecks | undefined;
}

/** The options of all doors that are not settings. */
export const DOOR_OPTIONS = optionNames<Omit<DoorOptions, keyof EndpointSettings>>('a door', {
  registry: true,
  scope: true,
  authenticate: true,
  checks: true,
}).names;

/** A request, independent of server and framework. */
export interface DoorRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The socket's remote address, if it has one. */
  readonly peer: string | undefined;
  /** The value of a header, by its name in lower case. */
  header(name: string): string | undefined;
  /** All headers, for `authenticate`. */
  headers(): Record<string, string | string[] | undefined>;
}

/** The response that a door sends. */
export interface DoorAnswer {
  readonly status: number;
  /** Names are in lower case; `content-length` is included. */
  readonly headers: Record<string, string>;
  /** Empty for HEAD. A large body stays in native memory: see `piecesOf`. */
  readonly body: Buffer | NativeBody;
}

/** Larger bodies stay in native memory. */
const LARGE_BYTES = 64 * 1024;

/** Answers requests to the metrics endpoint. */
export class Door {
  readonly #registry: RegistryInternals;
  readonly #service: NativeService;
  readonly #headerNames: readonly string[];
  readonly #authenticate: Authenticate | undefined;
  readonly #checks: ReadinessChecks;
  readonly #readyTimeoutMs: number;
  readonly #enabled: boolean;
  /** The path of the exposition. */
  readonly path: string;

  /**
   * @param of the function that makes the door, as messages show it
   * @param more names of the function's own options
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown or invalid option
   */
  constructor(options: DoorOptions, of: string, more: readonly string[] = []) {
    const { registry, scope, authenticate, checks = {} } = checkDoorOptions(options);
    const config = nativeConfig(options, { of, hasListener: false, more: [...DOOR_OPTIONS, ...more] });
    const { enabled, path, readyTimeoutMs } = config.values();
    this.#registry = internalsOf(registry);
    this.#authenticate = authenticate;
    this.#checks = checks;
    this.#readyTimeoutMs = readyTimeoutMs;
    this.#enabled = enabled;
    this.path = path;
    this.#headerNames = addon.requestHeaders();
    this.#service = this.#registry.createService(config, {
      hasCallback: authenticate !== undefined,
      hasChecks: Object.keys(checks).length > 0,
      ownValues: !this.#registry.showsProcess(scope),
    });
  }

  /** The answer; a promise only if something must be awaited. `null` for a path that is not the door's. */
  answer(request: DoorRequest): DoorAnswer | null | Promise<DoorAnswer> {
    if (!this.#enabled) return null;
    const step = this.#service.receive({
      method: request.method,
      target: request.target,
      ...(request.peer === undefined ? {} : { peer: request.peer }),
      hasBody: hasBody(request),
      headers: this.#headerNames.map((name) => request.header(name) ?? ''),
    });
    if (step.kind === 'notOurs') return null;
    return step.kind === 'answer' ? toAnswer(step.answer as Answer) : this.#take(step, request);
  }

  setReady(ready: boolean): void {
    this.#service.setReady(ready);
  }

  async #take(first: DoorStep, request: DoorRequest): Promise<DoorAnswer> {
    let step = first;
    for (;;) {
      const { kind, visit, answer } = step;
      if (visit === undefined) return toAnswer(answer as Answer);
      if (kind === 'verify') {
        step = await this.#service.verify(visit);
      } else if (kind === 'authorize') {
        const allowed = await this.#authorize(request);
        if (allowed === undefined) return toAnswer(this.#service.undecided());
        step = this.#service.authorize(visit, allowed);
      } else if (kind === 'check') {
        return toAnswer(this.#service.ready(visit, await runChecks(this.#checks, this.#readyTimeoutMs)));
      } else {
        return await this.#scrape(step);
      }
    }
  }

  #authorize({ method, target, peer, headers }: DoorRequest): Promise<boolean | undefined> {
    const visitor = { method, url: target, remoteAddress: peer, headers: headers() };
    return asked(this.#authenticate as Authenticate, visitor, (message) => this.#registry.warn(message));
  }

  async #scrape({ visit, names = [], budgetMs = 0 }: DoorStep): Promise<DoorAnswer> {
    if (visit === undefined) throw new TypeError('A scrape without a visit');
    await this.#registry.collections.runForScrape(names, budgetMs);
    const answer = this.#service.isSmall() ? this.#service.scrapeNow(visit) : await this.#service.scrape(visit);
    this.#registry.warnOfMismatches(answer.mismatched);
    return toAnswer(answer);
  }
}

/** Validates the options that all doors have. @internal */
export function checkDoorOptions<T extends DoorOptions>(options: T): T & { registry: Registry } {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError('INVALID_CONFIG', `Expected options but received ${describe(options)}`);
  }
  const { registry = Registry.globalRegistry, scope, authenticate, checks } = options;
  if (!(registry instanceof Registry)) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected a Registry for registry but received ${describe(registry)}`,
    );
  }
  checkScope(scope);
  checkAuthenticate(authenticate);
  checkChecks(checks);
  return { ...options, registry };
}

function hasBody(request: DoorRequest): boolean {
  const length = request.header('content-length');
  return request.header('transfer-encoding') !== undefined || (length !== undefined && length !== '0');
}

function toAnswer({ status, headers, body }: Answer): DoorAnswer {
  return { status, headers: toHeaders(headers), body: body.length > LARGE_BYTES ? body : body.take() };
}

/** Bodies are sent in pieces, because writing 10 MB at once blocks the event loop for milliseconds. */
const PIECE_BYTES = 64 * 1024;

/**
 * Yields a body piece by piece. Each piece has its own buffer, because a reader may hold several of them. The native memory
 * is freed after the last piece, or when the reader stops.
 */
export async function* piecesOf(body: Buffer | NativeBody): AsyncGenerator<Buffer, void, undefined> {
  if (!(body instanceof addon.NativeBody)) {
    if (body.length > 0) yield body;
    return;
  }
  try {
    for (let at = 0; at < body.length; ) {
      const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      const count = body.read(at, piece);
      if (count === 0) return;
      at += count;
      yield piece.subarray(0, count);
      // Let the event loop turn between two pieces, even if the reader is fast.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    body.release();
  }
}
