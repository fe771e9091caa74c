/**
 * The part that all doors in JavaScript share. A door passes each request to the core's scrape service and carries out the
 * steps that the service returns. Must not know any server or framework.
 */
import { setTimeout } from 'node:timers';
import { type EndpointSettings, nativeConfig } from '../config';
import { ConfigurationError, describe, refuseOption } from '../errors';
import {
  type Answer,
  addon,
  type CheckResult,
  type DoorStep,
  type NativeBody,
  type NativeService,
} from '../native/addon';
import { optionNames } from '../options';
import { shareProcesses } from '../processes/share';
import type { RegistryInternals } from '../registry/internals';
import { internalsOf, Registry } from '../registry/registry';
import { checkScope, toHeaders } from '../registry/scraping';
import { forLog, LimitedWarnings } from '../warnings';
import { type Authenticate, asked, checkAuthenticate } from './authenticate';
import { Deliveries } from './deliveries';
import { type Place, wantedPath } from './place';
import { type CheckRunner, checkRunner, type ReadinessChecks } from './readiness';
import { toQuery } from './target';

/** Settings of a door. */
export interface DoorOptions extends EndpointSettings {
  /** The registry to scrape. @default register */
  registry?: Registry | undefined;
  /**
   * `process` shows all threads and processes, `own` this thread, as in `registry.scrape()`.
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
  /** Where a framework's router has put the request; undefined if none has. */
  readonly place?: Place | undefined;
  /** The socket's remote address, if it has one. */
  readonly peer: string | undefined;
  /** True if the request has several `Host` headers. */
  readonly isMisaddressed?: boolean;
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
  /** Empty for HEAD. A large body stays in native memory: see `pieces.ts`. */
  readonly body: Buffer | NativeBody;
}

/** The status of a scrape that does not fit into the memory for expositions. */
const OVERLOADED = 503;
const MAX_ATTEMPTS = 3;

/** How often a scrape looks for memory before it is refused, and the pause between two looks: 750 ms in all. */
const ROOM_LOOKS_MAX = 30;
const ROOM_PAUSE_MS = 25;

/** Larger bodies stay in native memory. */
const LARGE_BYTES = 64 * 1024;

/** Answers requests to the metrics endpoint. */
export class Door {
  readonly #registry: RegistryInternals;
  readonly #service: NativeService;
  readonly #headerNames: readonly string[];
  readonly #authenticate: Authenticate | undefined;
  readonly #checks: CheckRunner;
  readonly #readyTimeoutMs: number;
  readonly #timeoutMs: number;
  readonly #warnings = new LimitedWarnings((message) => this.#registry.warn(message));
  readonly #enabled: boolean;
  /** The path of the exposition. */
  readonly path: string;
  /** True if the door also shows the page. */
  readonly hasPage: boolean;
  /** The answers that clients are reading. */
  readonly deliveries: Deliveries;

  /**
   * @param of the function that makes the door, as messages show it
   * @param more names of the function's own options
   * @throws {ConfigurationError} `INVALID_CONFIG` for an unknown or invalid option
   */
  constructor(options: DoorOptions, of: string, more: readonly string[] = []) {
    const { registry, scope, authenticate, checks } = checkDoorOptions(options);
    const config = nativeConfig(options, { of, hasListener: false, more: [...DOOR_OPTIONS, ...more] });
    const { enabled, path, processesDir, readyTimeoutMs, timeoutMs, writeTimeoutMs } = config.values();
    if (enabled && processesDir !== undefined) shareProcesses();
    this.#registry = internalsOf(registry);
    this.#authenticate = authenticate;
    this.#checks = checks;
    this.#readyTimeoutMs = readyTimeoutMs;
    this.#timeoutMs = timeoutMs;
    this.#enabled = enabled;
    this.path = path;
    // Not METRICS_PAGE: a variable must not take a path from an application.
    this.hasPage = options.page === true;
    this.#headerNames = addon.requestHeaders();
    this.#service = this.#registry.createService(config, {
      hasCallback: authenticate !== undefined,
      hasChecks: !checks.isEmpty,
      ownValues: !this.#registry.showsProcess(scope),
      hasPage: this.hasPage,
    });
    this.deliveries = new Deliveries(writeTimeoutMs, (why) => this.#service.gaveUp(why === 'late'));
  }

  /**
   * The answer; a promise only if something must be awaited. `null` for a path that is not the door's. Neither throws nor
   * rejects: frameworks would show clients the message of an error, and it may be the application's.
   */
  answer(request: DoorRequest): DoorAnswer | null | Promise<DoorAnswer> {
    try {
      return this.#begin(request);
    } catch (error) {
      return this.failed(error);
    }
  }

  /** Warns of an error that should not happen. @returns the answer that tells nothing of it */
  failed(error: unknown): DoorAnswer {
    this.#warnings.warn('request', () => `A request could not be answered: ${forLog(error)}`);
    return plain(500, 'The scrape failed.\n');
  }

  #begin(request: DoorRequest): DoorAnswer | null | Promise<DoorAnswer> {
    const target = this.#enabled ? this.#targetOf(request) : undefined;
    if (target === undefined) return null;
    const step = this.#service.receive({
      method: request.method,
      target,
      ...(request.peer === undefined ? {} : { peer: request.peer }),
      hasBody: hasBody(request),
      headers: this.#headerNames.map((name) => request.header(name) ?? ''),
    });
    if (step.kind === 'notOurs') return null;
    if (request.isMisaddressed === true) return plain(400, 'Expected one Host header.\n', { connection: 'close' });
    return step.kind === 'answer' ? toAnswer(step.answer as Answer) : this.#finish(step, request);
  }

  /** The target as the service expects it; undefined if a framework has put the request at a place that is not the door's. */
  #targetOf(request: DoorRequest): string | undefined {
    const { target, place } = request;
    if (place === undefined) return target;
    const own = this.hasPage && wantsHtml(request) ? '/' : this.path;
    const path = wantedPath(this.path, own, place);
    return path === undefined ? undefined : path + toQuery(target);
  }

  setReady(ready: boolean): void {
    this.#service.setReady(checkedReady(ready));
  }

  async #finish(step: DoorStep, request: DoorRequest): Promise<DoorAnswer> {
    try {
      return await this.#take(step, request);
    } catch (error) {
      return this.failed(error);
    }
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
        return toAnswer(this.#service.ready(visit, await this.#check()));
      } else {
        return await this.#scrape(step);
      }
    }
  }

  #check(): Promise<CheckResult[]> {
    return this.#checks.run(this.#readyTimeoutMs, this.#warnings);
  }

  #authorize({ method, target, peer, headers }: DoorRequest): Promise<boolean | undefined> {
    const visitor = { method, url: target, remoteAddress: peer, headers: headers() };
    return asked(this.#authenticate as Authenticate, visitor, this.#warnings);
  }

  async #scrape({ visit, names = [], budgetMs = 0 }: DoorStep): Promise<DoorAnswer> {
    if (visit === undefined) throw new TypeError('A scrape without a visit');
    await this.#registry.collections.runForScrape(names, budgetMs, this.#timeoutMs);
    let answer: Answer;
    let attempts = 0;
    let looks = 0;
    do {
      looks = await this.#awaitRoom(looks);
      answer = this.#service.isSmall(visit) ? this.#service.scrapeNow(visit) : await this.#service.scrape(visit);
      // Other scrapes may have taken the room meanwhile.
    } while (answer.status === OVERLOADED && ++attempts < MAX_ATTEMPTS);
    this.#makeRoom();
    this.#registry.warnOfMismatches(answer.mismatched);
    return toAnswer(answer);
  }

  /** Gives up answers until another fits in: clients that do not read must not shut out others. */
  #makeRoom(): boolean {
    while (!this.#service.hasRoom()) if (!this.deliveries.giveUpOne()) return false;
    return true;
  }

  /**
   * Waits for room, as the exporter does: answers that have only just begun cannot be given up yet.
   *
   * @param looks how often this scrape has looked before
   * @returns how often it has looked
   */
  async #awaitRoom(looks: number): Promise<number> {
    while (!this.#makeRoom() && looks < ROOM_LOOKS_MAX) {
      looks++;
      await new Promise((resolve) => setTimeout(resolve, ROOM_PAUSE_MS));
    }
    return looks;
  }
}

/** The answer to a path that no handler of the application serves. */
export function notFound(): DoorAnswer {
  return plain(404, 'Not found.\n');
}

function plain(status: number, text: string, more: Record<string, string> = {}): DoorAnswer {
  const body = Buffer.from(text);
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': `${body.length}`,
    // As in the core's answers.
    'x-content-type-options': 'nosniff',
    ...more,
  };
  return { status, headers, body };
}

/** The options of a door that are not settings, checked. */
interface CheckedDoorOptions extends Pick<DoorOptions, 'scope' | 'authenticate'> {
  readonly registry: Registry;
  readonly checks: CheckRunner;
}

/**
 * Reads each option once, inherited ones too: an options object may be of a class, with getters.
 *
 * @internal
 */
export function checkDoorOptions(options: DoorOptions): CheckedDoorOptions {
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
  return { registry, scope, authenticate, checks: checkRunner(checks) };
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for anything but a boolean @internal */
export function checkedReady(ready: unknown): boolean {
  if (typeof ready === 'boolean') return ready;
  return refuseOption('true or false', 'setReady()', ready);
}

/** True for browsers. At a path that has both, scrapers get the exposition. */
function wantsHtml(request: DoorRequest): boolean {
  return /\btext\/html\b/i.test(request.header('accept') ?? '');
}

function hasBody(request: DoorRequest): boolean {
  const length = request.header('content-length');
  return request.header('transfer-encoding') !== undefined || (length !== undefined && length !== '0');
}

function toAnswer({ status, headers, body }: Answer): DoorAnswer {
  return { status, headers: toHeaders(headers), body: body.length > LARGE_BYTES ? body : body.take() };
}
