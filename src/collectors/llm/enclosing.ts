/**
 * Decides which request counts if two integrations see the same one: a framework that reports it, and the client that the
 * framework calls. The innermost counts, because it sees most: each attempt, the headers, the first chunk, the thrown error.
 * The framework encloses the request; one that starts within it, for the same collector, takes its place.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attributed } from '../attribution';

let storage: AsyncLocalStorage<EnclosingRequest> | undefined;

/** A request as a framework reports it. */
export class EnclosingRequest {
  /** Frameworks may nest, and each may have a collector of its own. */
  readonly #outer: EnclosingRequest | undefined = openRequest();
  readonly #yield: () => void;
  #taken = false;
  #over = false;

  /**
   * @param owner the collector, or something that only it has
   * @param agent the agent that the framework knows; a client within does not
   * @param yieldPlace called once, when a request within takes the place of this one
   */
  constructor(
    readonly owner: unknown,
    readonly agent: Attributed | undefined,
    yieldPlace: () => void,
  ) {
    this.#yield = yieldPlace;
  }

  /** True if a request within has been counted instead. */
  get taken(): boolean {
    return this.#taken;
  }

  get over(): boolean {
    return this.#over;
  }

  get outer(): EnclosingRequest | undefined {
    return this.#outer;
  }

  /** A request within counts. A framework may make several, to retry. */
  take(): void {
    if (this.#taken) return;
    this.#taken = true;
    this.#yield();
  }

  end(): void {
    this.#over = true;
  }
}

/**
 * Makes the rest of the running function, and all that it starts, a part of the request. A framework's start event has no
 * function to run within the request, so the context is entered and not left: an ended request encloses nothing.
 */
export function enclose(request: EnclosingRequest): void {
  storage ??= new AsyncLocalStorage();
  storage.enterWith(request);
}

/** The request around the caller that the owner's framework reports. */
export function enclosingRequest(owner: unknown): EnclosingRequest | undefined {
  let request = openRequest();
  while (request !== undefined && request.owner !== owner) request = request.outer;
  return request?.over === true ? undefined : request;
}

/** Skips ended requests, so that they do not keep each other in memory. */
function openRequest(): EnclosingRequest | undefined {
  let request = storage?.getStore();
  while (request?.over === true) request = request.outer;
  return request;
}
