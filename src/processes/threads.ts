/**
 * Connects worker threads by broadcast channels, as the successor does. Opens the channels with the first registry,
 * never before; they do not keep a thread alive.
 */
import { BroadcastChannel, threadId, type Worker } from 'node:worker_threads';
import { jsonOfThread, type Registry } from '../registry/registry';
import { type Deferred, deferred, Gatherings, type MemberId, type Show, within } from './gatherings';
import {
  ACKNOWLEDGEMENT,
  ANNOUNCEMENT,
  answerTo,
  familiesIn,
  GOODBYE,
  type Message,
  messageIn,
  SUCCESSOR,
} from './protocol';

let threads: Threads | undefined;

/** Opens the channels, unless they are open. */
export function joinThreads(isPrimary: boolean, registries: () => readonly Registry[]): Threads {
  threads ??= new Threads(isPrimary, registries);
  return threads;
}

/** The number of worker threads that have a registry. */
export function memberCount(): number {
  return threads?.memberCount ?? 0;
}

const channelName = (id: unknown) => `@prometheus-io/client:worker:${id}`;

/** A channel whose messages are given to a function. */
function open(name: string, received: (message: Message) => void): BroadcastChannel {
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => received(messageIn((event as { data?: unknown }).data));
  channel.unref();
  return channel;
}

/** The threads of this process that have a registry, as one of them sees them. */
export class Threads {
  readonly #gatherings = new Gatherings();
  readonly #registries: () => readonly Registry[];
  /** The channel of each worker thread, by its name. */
  readonly #members = new Map<MemberId, { threadId: number; channel: BroadcastChannel }>();
  /** Threads that have never answered, or no longer do. */
  readonly #silent = new Set<MemberId>();
  /** Carries announcements, and the primary's requests. */
  readonly #all: BroadcastChannel;
  /** Carries this thread's answers. */
  readonly #own: BroadcastChannel;
  #goodbye: Deferred<void> | undefined;

  constructor(isPrimary: boolean, registries: () => readonly Registry[]) {
    this.#registries = registries;
    this.#all = open('@prometheus-io/client:announce', (message) => {
      if (isPrimary && message.type === ANNOUNCEMENT) this.#joined(message);
      void this.#called(message);
    });
    this.#own = open(channelName(threadId), ({ type }) => {
      if (type === ACKNOWLEDGEMENT) this.#goodbye?.resolve();
    });
    if (isPrimary) process.on('worker', (worker: Worker) => this.#watch(worker));
    this.#announce(isPrimary);
  }

  get memberCount(): number {
    return this.#members.size;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0 && !this.#gatherings.hasKept;
  }

  /** Gathers the families of all threads, and shows them. */
  scrape(show: Show): Promise<string> {
    const members = [...this.#members].filter(([name]) => !this.#silent.has(name));
    members.sort(([, a], [, b]) => a.threadId - b.threadId);
    return this.#gatherings.scrape({
      show,
      members: new Map(members.map(([name]) => [name, false])),
      send: (requestId) => this.#all.postMessage({ type: SUCCESSOR.request, threadId, requestId }),
      late: (missing) => {
        // A thread that was killed cannot say so. Later requests do not wait for it.
        for (const name of missing) this.#silent.add(name);
      },
    });
  }

  async shutdown(isPrimary: boolean, limitMs: number): Promise<void> {
    if ((await this.#gatherings.settled()) || isPrimary) return;
    if (this.#goodbye === undefined) {
      this.#goodbye = deferred();
      const metrics = await Promise.all(this.#registries().map((registry) => registry[jsonOfThread]('sum')));
      this.#own.postMessage({ type: GOODBYE, requestId: 0, threadId, metrics, endsGauges: true });
    }
    await within(this.#goodbye.promise, limitMs);
  }

  #announce(primary: boolean): void {
    this.#all.postMessage({ type: ANNOUNCEMENT, name: channelName(threadId), threadId, primary });
  }

  async #called(message: Message): Promise<void> {
    if (message.type === ANNOUNCEMENT) {
      if (message.primary) this.#announce(false);
      return;
    }
    // A scrape of the main thread shows all threads, but each of them answers for itself.
    const answer = await answerTo(message, this.#registries(), (registry) => registry[jsonOfThread]());
    if (answer !== undefined) this.#own.postMessage({ ...answer, threadId });
  }

  #joined({ name, threadId }: Message): void {
    if (typeof name !== 'string' || typeof threadId !== 'number' || this.#members.has(name)) return;
    const channel = open(name, (message) => this.#received(name, message));
    this.#members.set(name, { threadId, channel });
  }

  #received(name: string, message: Message): void {
    const { type, requestId, error } = message;
    if (type === SUCCESSOR.answer) {
      this.#silent.delete(name);
      if (error) this.#gatherings.failed(name, requestId, String(error));
      else this.#gatherings.answered(name, requestId, familiesIn(message));
    } else if (type === GOODBYE && this.#members.has(name)) {
      this.#members.get(name)?.channel.postMessage({ type: ACKNOWLEDGEMENT, requestId, threadId });
      this.#gatherings.keep(familiesIn(message), message.endsGauges);
      this.#left(name);
    }
  }

  /** A worker of this thread tells when it ends; one of another thread does not. */
  #watch(worker: Worker): void {
    const name = channelName(worker.threadId);
    worker.once('exit', () => this.#left(name));
  }

  #left(name: string): void {
    this.#members.get(name)?.channel.close();
    this.#members.delete(name);
    this.#silent.delete(name);
    this.#gatherings.left(name);
  }
}
