/**
 * Instruments a client of an SDK, or the SDK's class and so all clients of it. Finds the methods, wraps them, and begins a
 * `Request` for each call. Works for the client design that OpenAI's and Anthropic's SDKs share; must not know either of
 * them: an `Sdk` describes what differs.
 */
import { OTHER } from '../../collectors/label-values';
import { refuseOption } from '../../errors';
import { read } from '../../read';
import { quietly, warnOnce } from '../../warnings';
import { measureCall } from '../measure';
import type { CheckedOptions, Uninstall } from '../options';
import { type Around, isWrapped, type Original, Patches } from '../patches';
import { type AttemptReporting, watchAttempts } from './attempts';
import type { Endpoint, RequestBody, Sdk } from './endpoint';
import { errorClassesOf } from './error-classes';
import { Request } from './request';

/** Base URLs whose provider is cached. */
const ADDRESSES_MAX = 100;

const EMPTY_BODY: RequestBody = {};

/** @throws {ConfigurationError} `INVALID_CONFIG` if `clientOrClass` is neither a client nor its class */
export function instrumentApiClient(sdk: Sdk, clientOrClass: unknown, options: CheckedOptions): Uninstall {
  if ((typeof clientOrClass !== 'object' && typeof clientOrClass !== 'function') || clientOrClass === null) {
    refuseOption(`a client of ${sdk.name} or its class`, 'clientOrClass', clientOrClass);
  }
  const patches = new Patches();
  new Instrumentation(sdk, options).install(patches, unwrapClass(clientOrClass as object));
  return patches.uninstall;
}

class Instrumentation {
  readonly #sdk: Sdk;
  readonly #options: CheckedOptions;
  readonly #providers = new Map<unknown, string>();

  constructor(sdk: Sdk, options: CheckedOptions) {
    this.#sdk = sdk;
    this.#options = options;
  }

  install(patches: Patches, clientOrClass: object): void {
    const isClass = typeof clientOrClass === 'function';
    let found = 0;
    for (const endpoint of this.#sdk.endpoints) {
      const resource = findResource(clientOrClass, endpoint.resource, isClass);
      const method = (resource as Record<string, unknown> | undefined)?.[endpoint.method];
      if (typeof method !== 'function') continue;
      found++;
      if (isWrapped(method)) continue;
      const around: Around = (original, args, self) => this.#call(endpoint, original, args, self);
      if (!patches.wrap(resource, endpoint.method, around)) {
        const where = `${endpoint.resource}.${endpoint.method}`;
        warnOnce(`Expected ${this.#sdk.name} to have ${where} where it can be replaced; it is not measured`);
      }
    }
    if (found === 0) {
      warnOnce(`Expected ${this.#sdk.name} to have ${this.#sdk.endpoints[0]?.resource}; its requests are not measured`);
      return;
    }
    const client = isClass ? clientOrClass.prototype : clientOrClass;
    if (!watchAttempts(patches, client, this.#attemptReporting())) {
      warnOnce(
        `Expected ${this.#sdk.name} to have ${this.#sdk.attempt[0]}; its retries and rate limits are not measured`,
      );
    }
    if (!isClass) this.#instrumentClones(patches, client);
  }

  /** Instruments the clones that `withOptions()` makes. Programs often make one for a single request. */
  #instrumentClones(patches: Patches, client: object): void {
    patches.wrap(client, 'withOptions', (original) => {
      const clone = original();
      quietly(() => typeof clone === 'object' && clone !== null && this.install(new Patches(patches), clone));
      return clone;
    });
  }

  #attemptReporting(): AttemptReporting {
    return {
      sdk: this.#sdk,
      collector: this.#options.collector,
      readTarget: (client, options) => {
        const { body, __metadata: metadata } = options as { body?: RequestBody; __metadata?: RequestBody };
        const model = body?.model ?? metadata?.model;
        // A request without a model does not call one: it is about lists, files or batches.
        return typeof model === 'string' ? { model, provider: this.#resolveProvider(client) } : undefined;
      },
    };
  }

  #call(endpoint: Endpoint, original: Original, args: readonly unknown[], resource: unknown): unknown {
    const given = args[0];
    const body = typeof given === 'object' && given !== null ? (given as RequestBody) : EMPTY_BODY;
    const changed = endpoint.changeBody === undefined ? undefined : quietly(() => endpoint.changeBody?.(body));
    const send = changed === undefined ? original : () => original([changed, ...args.slice(1)]);
    return measureCall(send, () => {
      const { model } = body;
      const client = read(resource, '_client');
      return new Request({
        sdk: this.#sdk,
        collector: this.#options.collector,
        endpoint,
        target: {
          model: typeof model === 'string' ? model : OTHER,
          provider: this.#resolveProvider(client),
          operation: endpoint.operation,
          labels: this.#options.labels,
        },
        body,
        signal: read(args[1], 'signal'),
        errorClasses: errorClassesOf(client),
      });
    });
  }

  #resolveProvider(client: unknown): string {
    const address = (client as { baseURL?: unknown } | undefined)?.baseURL;
    const cached = this.#providers.get(address);
    if (cached !== undefined) return cached;
    const provider = this.#options.resolveProvider(address, this.#sdk.provider);
    if (this.#providers.size < ADDRESSES_MAX) this.#providers.set(address, provider);
    return provider;
  }
}

/** The class of an SDK. Its CommonJS build may export a factory function, with the class as its `default`. */
function unwrapClass(clientOrClass: object): object {
  const inner = typeof clientOrClass === 'function' ? read(clientOrClass, 'default') : undefined;
  return typeof inner === 'function' ? inner : clientOrClass;
}

/** A resource of a client; for a class, the prototype of the resource's class. */
function findResource(clientOrClass: object, path: string, isClass: boolean): unknown {
  let at: unknown = clientOrClass;
  for (const name of path.split('.')) {
    const key = isClass ? name.charAt(0).toUpperCase() + name.slice(1) : name;
    at = (at as Record<string, unknown> | undefined)?.[key];
  }
  return isClass ? (at as { prototype?: unknown } | undefined)?.prototype : at;
}
