/**
 * What every door in JavaScript shares: a request goes to the core's scrape service, and the steps that it names are
 * taken here. Knows no server and no framework.
 */
import { setImmediate } from 'node:timers';
import { type EndpointSettings, nativeConfig } from '../config';
import { ConfigurationError, describe } from '../errors';
import { type Answer, addon, type DoorStep, type NativeBody, type NativeService } from '../native/addon';
import type { RegistryInternals } from '../registry/internals';
import { internalsOf, Registry } from '../registry/registry';
import { checkScope, toHeaders } from '../registry/scraping';
import { type Authenticate, asked, checkAuthenticate } from './authenticate';
import { checkChecks, type ReadinessChecks, runChecks } from './readiness';

/** Settings of a door. */
export interface DoorOptions extends EndpointSettings {
  /** What is scraped. @default register */
  registry?: Registry | undefined;
  /** As in `registry.scrape()`. */
  scope?: 'process' | 'own' | undefined;
  /**
   * Lets in whom it likes, where tokens and users did not already. `false`, a rejection and two seconds without an
   * answer let nobody in.
   */
  authenticate?: Authenticate | undefined;
  /** Checks that `/ready` runs, by name. One that returns `false`, rejects or takes too long makes it answer 503. */
  checks?: ReadinessChecks | undefined;
}

/** A request as a door sees it. */
export interface DoorRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** The socket's remote address; nothing where there is none. */
  readonly peer: string | undefined;
  /** The value of a header, by its name in lower case. */
  header(name: string): string | undefined;
  /** All headers, for `authenticate`. */
  headers(): Record<string, string | string[] | undefined>;
}

/** What a door sends. */
export interface DoorAnswer {
  readonly status: number;
  /** Names in lower case; the length of the body is among them. */
  readonly headers: Record<string, string>;
  /** Empty for HEAD. Large ones stay in native memory: see `piecesOf`. */
  readonly body: Buffer | NativeBody;
}

/** A larger body stays in native memory. */
const LARGE_BYTES = 64 * 1024;

/** Answers requests. */
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

  /** @throws {ConfigurationError} `INVALID_CONFIG` */
  constructor(options: DoorOptions = {}) {
    const { registry, scope, authenticate, checks = {} } = checkDoorOptions(options);
    const config = nativeConfig(options);
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

  /** The answer, at once where it needs no waiting; `null` for a path that is not the door's. */
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

  /** Sets what `/ready` answers: 200 or 503. Ready from the start. */
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

/** Checks what all doors are given. @internal */
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

/** Handing Node.js 10 MB at once stops the loop for milliseconds while the socket takes them. */
const PIECE_BYTES = 64 * 1024;

/**
 * A body piece by piece, each its own because a reader may hold several. Its memory is given back when all were read,
 * or the reader stops.
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
      // The loop turns between two pieces, however fast they are taken.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    body.release();
  }
}
