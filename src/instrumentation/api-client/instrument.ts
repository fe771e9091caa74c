/**
 * Instruments a client of an SDK, or a class and so all clients of it. Wraps the client's methods that send requests, which all
 * methods of its resources call, and begins a `Request` for each one that calls a model. Works for the client design that
 * OpenAI's and Anthropic's SDKs share; must not know either of them: an `Sdk` describes what differs.
 */
import { OTHER } from '../../collectors/label-values';
import { refuseOption } from '../../errors';
import { asPromise, isPromise, read } from '../../read';
import { quietly, warnOnce } from '../../warnings';
import { measureCall } from '../measure';
import type { CheckedOptions, Uninstall } from '../options';
import { type Original, Patches } from '../patches';
import { type AttemptReporting, definerOf, isPrototype, watchAttempts } from './attempts';
import { bare, type Endpoint, findEndpoint, type Sdk, type Verb } from './endpoint';
import { observeLater } from './later';
import { isApiPromise } from './promise';
import { Request, readBody, readModel } from './request';

/** Base URLs whose provider is cached. */
const ADDRESSES_MAX = 100;

const VERBS: readonly Verb[] = ['post', 'get'];

/** @throws {ConfigurationError} `INVALID_CONFIG` if `clientOrClass` is neither a client nor its class */
export function instrumentApiClient(sdk: Sdk, clientOrClass: unknown, options: CheckedOptions): Uninstall {
  if ((typeof clientOrClass !== 'object' && typeof clientOrClass !== 'function') || clientOrClass === null) {
    refuseOption(`a client of ${sdk.name} or its class`, 'clientOrClass', clientOrClass);
  }
  const patches = new Patches(options.collector);
  const given = unwrapClass(clientOrClass as object);
  new Instrumentation(sdk, options).install(patches, typeof given === 'function' ? findPrototype(sdk, given) : given);
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

  /** @param holder a client, or the prototype of its class */
  install(patches: Patches, holder: object): void {
    const { name, attempt } = this.#sdk;
    for (const verb of VERBS) {
      if (typeof read(holder, verb) !== 'function') {
        warnOnce(`Expected ${name} to have ${verb}(); its requests are not measured`);
        return;
      }
      const wrapped = patches.wrap(holder, verb, (original, args, client) => this.#call(verb, original, args, client));
      if (!wrapped) {
        warnOnce(`Expected ${name} to have ${verb}() where it can be replaced; its requests are not measured`);
        return;
      }
    }
    if (refusesHooks(holder)) {
      warnOnce(
        `A client of ${name} with an X.509 identity is instrumented with its retries and rate limits only by its class`,
      );
    } else if (!watchAttempts(patches, holder, this.#attemptReporting())) {
      warnOnce(`Expected ${name} to have ${attempt[0]}; its retries and rate limits are not measured`);
    }
    if (isPrototype(holder)) return;
    if (hasBoundResources(holder)) {
      warnOnce(`Expected resources of ${name} to call the client's post(); pass the class before clients are made`);
    }
    this.#instrumentClones(patches, holder);
  }

  /** Instruments the clones that `withOptions()` makes. Programs often make one for a single request. */
  #instrumentClones(patches: Patches, client: object): void {
    patches.wrap(client, 'withOptions', (original) => {
      const clone = original();
      quietly(() => {
        if (typeof clone === 'object' && clone !== null) this.install(new Patches(patches.owner, patches), clone);
      });
      return clone;
    });
  }

  #attemptReporting(): AttemptReporting {
    return {
      sdk: this.#sdk,
      collector: this.#options.collector,
      readTarget: (client, options) => {
        if (findEndpoint(this.#sdk.endpoints, read(options, 'path')) === undefined) return undefined;
        return { model: readModel(options) ?? OTHER, provider: this.#resolveProvider(client) };
      },
    };
  }

  #call(verb: Verb, original: Original, args: readonly unknown[], client: unknown): unknown {
    const [path] = args;
    const endpoint = verb === 'post' ? findEndpoint(this.#sdk.endpoints, path) : undefined;
    return endpoint === undefined
      ? this.#callOther(verb, original, path, client)
      : this.#callModel(endpoint, original, args, client);
  }

  #callModel(endpoint: Endpoint, original: Original, args: readonly unknown[], client: unknown): unknown {
    const [path, given, ...more] = args;
    const options = changeOptions(endpoint, given);
    const send = options === given ? original : () => original([path, options, ...more]);
    return measureCall(send, () => {
      const request = new Request({
        sdk: this.#sdk,
        collector: this.#options.collector,
        endpoint,
        provider: this.#resolveProvider(client),
        labels: this.#options.labels,
        client,
      });
      // The SDK rejects its own promise if these options cannot be made.
      if (isPromise(options)) asPromise(options).then((made) => quietly(() => request.prepared(made)), nothing);
      else request.prepared(options);
      return request;
    });
  }

  /** A request that calls no model; it may tell the outcome of earlier ones. */
  #callOther(verb: Verb, original: Original, path: unknown, client: unknown): unknown {
    const sent = original();
    quietly(() => {
      const name = bare(path);
      const endpoint = this.#sdk.laterEndpoints.find((later) => later.verb === verb && later.path.test(name));
      if (endpoint === undefined || !isApiPromise(sent)) return;
      const { collector, labels } = this.#options;
      observeLater(sent, endpoint, path, { collector, labels, provider: this.#resolveProvider(client) });
    });
    return sent;
  }

  #resolveProvider(client: unknown): string {
    const address = read(client, 'baseURL');
    let provider = this.#providers.get(address);
    if (provider === undefined) {
      provider = this.#options.resolveProvider(address, this.#sdk.provider);
      if (this.#providers.size < ADDRESSES_MAX) this.#providers.set(address, provider);
    }
    // Only one provider offers the platform's API, so an unknown address is a gateway in front of it.
    return provider === OTHER ? (this.#sdk.readPlatform(client) ?? OTHER) : provider;
  }
}

function nothing(): void {}

/** Resources of old SDKs took the client's methods when they were made. A wrapper that comes later is not called. */
function hasBoundResources(client: object): boolean {
  return Object.values(client).some(
    (value) => typeof value === 'object' && value !== null && Object.hasOwn(value, 'post'),
  );
}

/** OpenAI's clients with an X.509 identity refuse to send a request if their own method for attempts was replaced. */
function refusesHooks(holder: object): boolean {
  return typeof read(read(holder, '_workloadIdentityAuth'), 'headerSnapshots') === 'function';
}

/** The SDK's options of a request, with the body that an endpoint asks for; the given ones if it asks for no change. */
function changeOptions(endpoint: Endpoint, given: unknown): unknown {
  const { changeBody } = endpoint;
  if (changeBody === undefined) return given;
  const change = (options: unknown): unknown => {
    const body = quietly(() => changeBody(readBody(options)));
    return body === undefined ? options : { ...(options as object), body };
  };
  return isPromise(given) ? given.then(change) : change(given);
}

/** The class of an SDK. Its CommonJS build may export a factory function, with the class as its `default`. */
function unwrapClass(clientOrClass: object): object {
  const inner = typeof clientOrClass === 'function' ? read(clientOrClass, 'default') : undefined;
  return typeof inner === 'function' ? inner : clientOrClass;
}

/**
 * The prototype whose clients a class means: its own, with all subclasses. The SDK's main class means the whole SDK: its
 * methods are on a base class that it shares with clients for other platforms.
 */
function findPrototype(sdk: Sdk, given: object): object {
  const prototype = read(given, 'prototype');
  if (typeof prototype !== 'object' || prototype === null) return given;
  return Object.hasOwn(given, sdk.mainStatic) ? definerOf(prototype, 'post') : prototype;
}
