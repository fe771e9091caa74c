/**
 * Instruments a client of an SDK, or its class and so all its clients. Knows how these SDKs are built and no single one;
 * what an endpoint says on the wire is told to it.
 */
import { OTHER } from '../../collectors/label-values';
import { abortTypeOf, errorTypeOf } from '../../collectors/error-type';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmTarget } from '../../collectors/llm/request';
import type { LlmErrorType } from '../../collectors/words';
import { refuseOption } from '../../errors';
import { quietly, warnOnce } from '../../quietly';
import { read } from '../../read';
import { type Measuring, measured } from '../measure';
import type { Instrumenting, Uninstall } from '../options';
import { type Around, isWrapped, type Original, Patches } from '../patches';
import { watchAttempts } from './attempts';
import { follow, isApiPromise } from './promise';
import { isStream, watchStream } from './stream';
import type { Answered, Endpoint, Sdk } from './wire';

type Body = Readonly<Record<string, unknown>>;

/** Addresses whose provider is remembered. */
const ADDRESSES_MAX = 100;

const NOTHING: Body = {};

/** @throws {ConfigurationError} `INVALID_CONFIG` for what is neither a client nor its class */
export function instrumentStainless(sdk: Sdk, clientOrClass: unknown, instrumenting: Instrumenting): Uninstall {
  if ((typeof clientOrClass !== 'object' && typeof clientOrClass !== 'function') || clientOrClass === null) {
    refuseOption(`a client of ${sdk.name} or its class`, 'clientOrClass', clientOrClass);
  }
  const patches = new Patches();
  new Instrumentation(sdk, instrumenting).install(patches, madeOf(clientOrClass as object));
  return patches.uninstall;
}

class Instrumentation {
  readonly #sdk: Sdk;
  readonly #instrumenting: Instrumenting;
  readonly #providers = new Map<unknown, string>();

  constructor(sdk: Sdk, instrumenting: Instrumenting) {
    this.#sdk = sdk;
    this.#instrumenting = instrumenting;
  }

  install(patches: Patches, clientOrClass: object): void {
    const isClass = typeof clientOrClass === 'function';
    let known = 0;
    for (const endpoint of this.#sdk.endpoints) {
      const resource = resourceOf(clientOrClass, endpoint.resource, isClass);
      const method = (resource as Record<string, unknown> | undefined)?.[endpoint.method];
      if (typeof method !== 'function') continue;
      known++;
      if (isWrapped(method)) continue;
      const around: Around = (original, args, self) => this.#call(endpoint, original, args, self);
      if (!patches.wrap(resource, endpoint.method, around)) {
        const where = `${endpoint.resource}.${endpoint.method}`;
        warnOnce(`Expected ${this.#sdk.name} to have ${where} where it can be replaced; it is not measured`);
      }
    }
    if (known === 0) {
      warnOnce(`Expected ${this.#sdk.name} to have ${this.#sdk.endpoints[0]?.resource}; its requests are not measured`);
      return;
    }
    const client = isClass ? clientOrClass.prototype : clientOrClass;
    if (!watchAttempts(patches, client, this.#attempts())) {
      warnOnce(
        `Expected ${this.#sdk.name} to have ${this.#sdk.attempt[0]}; its retries and rate limits are not measured`,
      );
    }
    if (!isClass) this.#followClones(patches, client);
  }

  /** A client's clones are asked like the client, and are often made for one request. */
  #followClones(patches: Patches, client: object): void {
    patches.wrap(client, 'withOptions', (original) => {
      const clone = original();
      quietly(() => typeof clone === 'object' && clone !== null && this.install(new Patches(patches), clone));
      return clone;
    });
  }

  #attempts() {
    const { collector } = this.#instrumenting;
    return {
      sdk: this.#sdk,
      collector,
      targetOf: (client: unknown, options: unknown) => {
        const { body, __metadata: more } = options as { body?: Body; __metadata?: Body };
        const model = body?.model ?? more?.model;
        // Requests without a model ask none: lists, files, batches.
        return typeof model === 'string' ? { model, provider: this.#providerOf(client) } : undefined;
      },
    };
  }

  #call(endpoint: Endpoint, original: Original, args: readonly unknown[], resource: unknown): unknown {
    const given = args[0];
    const body = typeof given === 'object' && given !== null ? (given as Body) : NOTHING;
    const asked = endpoint.asking === undefined ? undefined : quietly(() => endpoint.asking?.(body));
    const asking = asked === undefined ? original : () => original([asked, ...args.slice(1)]);
    return measured(asking, () => {
      const { model } = body;
      const target: LlmTarget = {
        model: typeof model === 'string' ? model : OTHER,
        provider: this.#providerOf((resource as { _client?: unknown })._client),
        operation: endpoint.operation,
      };
      return new Request(this.#sdk, this.#instrumenting, endpoint, target, body, read(args[1], 'signal'));
    });
  }

  #providerOf(client: unknown): string {
    const address = (client as { baseURL?: unknown } | undefined)?.baseURL;
    const known = this.#providers.get(address);
    if (known !== undefined) return known;
    const provider = this.#instrumenting.providerOf(address, this.#sdk.provider);
    if (this.#providers.size < ADDRESSES_MAX) this.#providers.set(address, provider);
    return provider;
  }
}

/** One request. */
class Request implements Measuring {
  #call: LlmCall | undefined;
  #answered = false;

  constructor(
    readonly sdk: Sdk,
    readonly instrumenting: Instrumenting,
    readonly endpoint: Endpoint,
    readonly target: LlmTarget,
    readonly body: Body,
    /** The caller's, if there is one: the SDK aborts without its reason. */
    readonly signal: unknown,
  ) {}

  returned(promise: unknown): unknown {
    if (isApiPromise(promise)) {
      this.#call = this.instrumenting.collector.startRequest(this.target);
      follow(promise, this);
    } else {
      const { resource, method } = this.endpoint;
      warnOnce(`Expected ${this.sdk.name} to return its promise from ${resource}.${method}; it is not measured`);
    }
    return promise;
  }

  threw(error: unknown): void {
    this.instrumenting.collector.startRequest(this.target).fail(error);
  }

  failed(error: unknown): void {
    // What the SDK makes of an answer that came is the user's concern.
    if (!this.#answered) this.#call?.fail(errorTypeOf(error) === 'cancelled' ? this.#abortType() : error);
  }

  #abortType(): LlmErrorType {
    return read(this.signal, 'aborted') === true ? abortTypeOf(read(this.signal, 'reason')) : 'cancelled';
  }

  raw(): void {
    const call = this.#call;
    if (call === undefined || call.ended) return;
    call.end();
  }

  parsed(answer: unknown): void {
    const call = this.#call;
    if (this.#answered || call === undefined || call.ended) return;
    this.#answered = true;
    if (!isStream(answer)) {
      // One that cannot be read, such as `null`, was an answer all the same.
      this.#complete(call, quietly(() => this.endpoint.answered(answer, this.body)) ?? { end: {} });
      return;
    }
    const reading = this.endpoint.reading?.();
    if (reading === undefined) call.end();
    else {
      watchStream(answer, call, reading, {
        complete: (answered) => this.#complete(call, answered),
        abortType: () => this.#abortType(),
      });
    }
  }

  #complete(call: LlmCall, { end, failure, media }: Answered): void {
    if (failure === undefined) call.end(end);
    else call.fail(failure, end);
    if (media !== undefined) this.instrumenting.collector.recordMedia(this.target, media.unit, media.amount);
  }
}

/** What a CommonJS build exports may be a function that makes clients, with their class beside it. */
function madeOf(clientOrClass: object): object {
  const beside = typeof clientOrClass === 'function' ? read(clientOrClass, 'default') : undefined;
  return typeof beside === 'function' ? beside : clientOrClass;
}

/** A resource of a client, or the prototype of those of a class. */
function resourceOf(clientOrClass: object, path: string, isClass: boolean): unknown {
  let at: unknown = clientOrClass;
  for (const name of path.split('.')) {
    const key = isClass ? name.charAt(0).toUpperCase() + name.slice(1) : name;
    at = (at as Record<string, unknown> | undefined)?.[key];
  }
  return isClass ? (at as { prototype?: unknown } | undefined)?.prototype : at;
}
