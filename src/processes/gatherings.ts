/**
 * Gathers the answers of many members (processes or threads) to one request, with a limit of time. Keeps the sums of
 * members that said goodbye. Does not know how messages travel. Its timers are the global ones, which tests of programs replace.
 */
import { EndpointError } from '../errors';
import { combine } from '../registry/aggregation';
import type { MetricObjectWithValues } from '../types';
import { forLog, warnOnce } from '../warnings';
import { unpack } from './packing';
import type { Families } from './protocol';

const LIMIT_MS = 5000;

/** How long a request waits for members that may have no registry. */
const PATIENCE_MS = 1000;

export type MemberId = number | string;

/** One request that is not answered in full. */
interface Gathering {
  /** The answers by member, in the order of the request; `undefined` until one has arrived. */
  readonly answers: Map<MemberId, readonly Families[] | undefined>;
  /** The members whose answers are missing; true if the request can do without. */
  readonly missing: Map<MemberId, boolean>;
  end(error?: Error): void;
}

/** Writes the exposition of these families: the ones that were kept, then those of each member. */
export type Show = (families: Families[]) => Promise<string>;

/** What a scrape needs. */
export interface Scrape {
  readonly show: Show;
  /** The members; true for those that may have no registry, whose answers are awaited for a shorter time. */
  readonly members: ReadonlyMap<MemberId, boolean>;
  /** Sends the request. */
  send(requestId: number): void;
  /** Called with the members whose answers are missing after 5 seconds. */
  late?(members: MemberId[]): void;
  /** Called with the members without a registry, as far as one can tell. */
  silent?(members: MemberId[]): void;
}

/** The requests of one primary. */
export class Gatherings {
  readonly #open = new Map<number, Gathering>();
  /** The scrapes whose expositions are not finished. */
  readonly #scrapes = new Set<Promise<string>>();
  #kept: MetricObjectWithValues[] = [];
  #next = 0;

  /** True if members left sums behind. */
  get hasKept(): boolean {
    return this.#kept.length > 0;
  }

  /** Settles when the scrapes of now are finished or have failed. */
  async settled(): Promise<boolean> {
    const scrapes = [...this.#scrapes];
    await Promise.allSettled(scrapes);
    return scrapes.length > 0;
  }

  /** Asks all members, and shows the families that were kept and those of the answers. */
  scrape({ show, ...asking }: Scrape): Promise<string> {
    const scrape = this.#ask(asking).then(show);
    this.#scrapes.add(scrape);
    const forget = () => this.#scrapes.delete(scrape);
    scrape.then(forget, forget);
    return scrape;
  }

  #ask({ members, send, late, silent }: Omit<Scrape, 'show'>): Promise<Families[]> {
    const requestId = this.#next++;
    const kept = this.#kept;
    const { promise, resolve, reject } = deferred<Families[]>();
    const answers = new Map([...members.keys()].map((id) => [id, undefined as readonly Families[] | undefined]));
    const missing = new Map(members);
    const limit = setTimeout(() => {
      late?.([...missing.keys()]);
      // The successor's message, which begins with prom-client's.
      end(failure(`Operation timed out. ${missing.size} outstanding responses.`));
    }, LIMIT_MS);
    const patience = setTimeout(() => {
      const left = [...missing].filter(([, isOptional]) => isOptional).map(([id]) => id);
      if (left.length > 0) silent?.(left);
      for (const id of left) this.left(id);
    }, PATIENCE_MS);
    const end = (error?: Error) => {
      clearTimeout(limit);
      clearTimeout(patience);
      this.#open.delete(requestId);
      if (error === undefined) resolve([kept, ...[...answers.values()].flatMap((lists) => lists ?? [])]);
      else reject(error);
    };
    this.#open.set(requestId, { answers, missing, end });
    if (missing.size === 0) end();
    else send(requestId);
    return promise;
  }

  /** The open requests that miss the answer of this member. */
  openFor(id: MemberId): number[] {
    return [...this.#open].filter(([, { missing }]) => missing.has(id)).map(([requestId]) => requestId);
  }

  /** Waits for the member's answers as long as for others. */
  require(id: MemberId): void {
    for (const { missing } of this.#open.values()) if (missing.has(id)) missing.set(id, false);
  }

  /** Takes an answer. One that comes too late, or twice, or for another request, changes nothing. */
  answered(id: MemberId, requestId: unknown, families: readonly Families[]): void {
    const gathering = this.#open.get(requestId as number);
    if (gathering?.missing.delete(id) !== true) return;
    gathering.answers.set(id, families);
    if (gathering.missing.size === 0) gathering.end();
  }

  /** Takes the error that a member sent for an answer. */
  failed(id: MemberId, requestId: unknown, message: string): void {
    const gathering = this.#open.get(requestId as number);
    if (gathering?.missing.has(id)) gathering.end(failure(message));
  }

  /** The member has ended: no request waits for it any longer. */
  left(id: MemberId): void {
    for (const gathering of this.#open.values()) {
      if (gathering.missing.delete(id) && gathering.missing.size === 0) gathering.end();
    }
  }

  /** Keeps the sums of a member that says goodbye. A gauge shows a state, and one that has ended has none. */
  keep(lists: readonly Families[], endsGauges: unknown): void {
    try {
      const sums = lists.map((list) =>
        list.map(unpack).filter(({ type, aggregator }) => !(endsGauges && type === 'gauge') && isSum(aggregator)),
      );
      this.#kept = combine([this.#kept, ...sums]);
    } catch (error) {
      // Called by a message: an error here would end the process.
      warnOnce(`CLUSTER_FAILED: the last values of a worker are lost: ${forLog(error)}`);
    }
  }
}

const failure = (message: string) => new EndpointError('CLUSTER_FAILED', message);

const isSum = (aggregator: string | undefined) => (aggregator ?? 'sum') === 'sum';

/** A promise, and what settles it. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

/** Waits for a promise, and for at most so many milliseconds. */
export async function within<T>(promise: Promise<T>, limitMs: number): Promise<T> {
  const late = deferred<never>();
  const timer = setTimeout(() => late.reject(failure('Timeout')), limitMs);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
