/**
 * Connects the processes of `node:cluster`: the primary asks, the workers answer. Listens to messages from the first
 * registry on, never before.
 */
import type { Worker } from 'node:cluster';
import { clearInterval, setInterval } from 'node:timers';
import { RUN } from '../native/contributor';
import { Registry } from '../registry/registry';
import { type Deferred, deferred, Gatherings, type MemberId, type Show, within } from './gatherings';
import {
  ACKNOWLEDGEMENT,
  ANNOUNCEMENT,
  answerTo,
  familiesIn,
  GOODBYE,
  type Message,
  messageIn,
  PROM_CLIENT,
  SUCCESSOR,
} from './protocol';
import { joinedProcesses, joinRun, ownFamilies } from './share';

/** Numbers of the processes that share their metrics, which need not be asked; `undefined` if all are. */
export type Shared = ReadonlySet<number> | undefined;

/** How often to look whether a worker has joined meanwhile. */
const LOOK_MS = 100;

/** A process's place in the cluster. */
export interface ClusterSide {
  /**
   * Gathers the families of all workers, and shows them.
   *
   * @param isStrict true to wait for every connected worker, as prom-client does; false to do without those that never
   *   said that they have a registry
   */
  scrape(isStrict: boolean, shared: Shared, show: Show): Promise<string>;
  /** True if the exposition needs messages, or has counts that came by message. */
  hasMessages(shared: Shared): boolean;
  /** True if a worker answers with registries that the program has chosen: only messages have their values. */
  readonly hasOwnRegistries: boolean;
  /** Tells the primary of the registries that `setRegistries()` has set. */
  registriesChanged(): void;
  /** True in a primary that never had a worker: it is the whole program. */
  readonly isAlone: boolean;
  shutdown(limitMs: number): Promise<void>;
}

// biome-ignore lint/style/useNodejsImportProtocol: Jest mocks `cluster` and `node:cluster` separately
const cluster = require('cluster') as typeof import('node:cluster').default;

let side: ClusterSide | undefined;

/** Listens from now on. `registries`: those that the program has chosen, instead of the default one. */
export function joinCluster(registries: () => readonly Registry[] | undefined): ClusterSide {
  side ??= cluster.isPrimary ? new Primary() : new ClusterWorker(registries);
  return side;
}

/** True if a worker is one of these processes. */
const isIn = (processes: Shared, { process }: Partial<Worker>) => processes?.has(process?.pid ?? 0) === true;

/** Errors of a channel that has just closed are reported to the callback instead of the whole process. */
const ignored = () => {};

class Primary implements ClusterSide {
  readonly #gatherings = new Gatherings();
  /** Workers that said that they have a registry: they understand the successor's messages. */
  readonly #announced = new Set<MemberId>();
  /** Workers that answer with registries of their program's choice. */
  readonly #choosing = new Set<MemberId>();
  /** Workers whose last values are kept. */
  readonly #gone = new Set<MemberId>();
  /** Requests that workers without a file answer: the exposition has the others' values from the run. */
  readonly #ofUnshared = new Set<number>();
  /** Workers that have never answered. */
  readonly #silent = new Set<MemberId>();
  isAlone = this.#workers().length === 0;

  constructor() {
    cluster.once('fork', () => {
      this.isAlone = false;
    });
    cluster.on('message', (worker, message) => this.#received(worker, messageIn(message)));
    cluster.on('disconnect', ({ id }) => this.#left(id));
    cluster.on('exit', ({ id }) => this.#left(id));
    // Those that were forked before know no run.
    for (const worker of this.#workers()) worker.send({ type: ANNOUNCEMENT, run: process.env[RUN] }, ignored);
  }

  async scrape(isStrict: boolean, shared: Shared, show: Show): Promise<string> {
    const connected = this.#workers();
    if (connected.length > 0) this.isAlone = false;
    const isAsked = (worker: Worker) =>
      !this.#gone.has(worker.id) && !isIn(shared, worker) && (isStrict || !this.#silent.has(worker.id));
    const workers = connected.filter(isAsked);
    // One that has joined meanwhile may have no registry that answers.
    const joining = setInterval(() => {
      const now = shared && joinedProcesses();
      for (const worker of workers) if (isIn(now, worker)) this.#gatherings.left(worker.id);
    }, LOOK_MS);
    let request: number | undefined;
    try {
      return await this.#gatherings.scrape({
        show,
        members: new Map(workers.map(({ id }) => [id, !isStrict && !this.#announced.has(id)])),
        send: (requestId) => {
          request = requestId;
          if (shared !== undefined) this.#ofUnshared.add(requestId);
          for (const worker of workers) this.#ask(worker, requestId);
        },
        silent: (ids) => {
          for (const id of ids) this.#silent.add(id);
        },
      });
    } finally {
      clearInterval(joining);
      if (request !== undefined) this.#ofUnshared.delete(request);
    }
  }

  hasMessages(shared: Shared): boolean {
    return this.#gatherings.hasKept || this.#workers().some((worker) => !isIn(shared, worker));
  }

  get hasOwnRegistries(): boolean {
    return this.#choosing.size > 0;
  }

  /** Only workers tell of theirs. */
  registriesChanged(): void {}

  async shutdown(): Promise<void> {
    await this.#gatherings.settled();
  }

  #ask(worker: Worker, requestId: number): void {
    const { request } = this.#announced.has(worker.id) ? SUCCESSOR : PROM_CLIENT;
    worker.send({ type: request, requestId, packs: true, ofUnshared: this.#ofUnshared.has(requestId) }, ignored);
  }

  /** The connected workers. One that ends abruptly is in the list for some time. */
  #workers(): Worker[] {
    const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker?.isConnected() === true);
    return (workers as Worker[]).sort((a, b) => a.id - b.id);
  }

  #received(worker: Worker, message: Message): void {
    const { id } = worker;
    const { type, requestId, error } = message;
    if (type === ANNOUNCEMENT) {
      if (message.ownRegistries === true) this.#choosing.add(id);
      this.#announce(worker);
    } else if (type === PROM_CLIENT.answer || type === SUCCESSOR.answer) {
      this.#silent.delete(id);
      if (error) this.#gatherings.failed(id, requestId, String(error));
      else this.#gatherings.answered(id, requestId, familiesIn(message));
    } else if (type === GOODBYE) {
      worker.send({ type: ACKNOWLEDGEMENT, requestId }, ignored);
      if (this.#gone.has(id)) return;
      this.#gone.add(id);
      this.#gatherings.keep(familiesIn(message), message.endsGauges);
    }
  }

  /** A worker that was asked as a worker of prom-client is asked again: the successor's does not know these messages. */
  #announce(worker: Worker): void {
    const { id } = worker;
    this.#silent.delete(id);
    if (this.#announced.has(id)) return;
    this.#announced.add(id);
    this.#gatherings.require(id);
    for (const requestId of this.#gatherings.openFor(id)) this.#ask(worker, requestId);
  }

  #left(id: number): void {
    this.#announced.delete(id);
    this.#choosing.delete(id);
    this.#silent.delete(id);
    this.#gatherings.left(id);
  }
}

class ClusterWorker implements ClusterSide {
  readonly isAlone = false;
  readonly hasOwnRegistries = false;
  readonly #chosen: () => readonly Registry[] | undefined;
  /** Resolves when the primary has the last values. */
  #goodbye: Deferred<void> | undefined;

  constructor(chosen: () => readonly Registry[] | undefined) {
    this.#chosen = chosen;
    process.on('message', (message) => void this.#received(messageIn(message)));
    this.registriesChanged();
  }

  registriesChanged(): void {
    send({ type: ANNOUNCEMENT, ...(this.#chosen() === undefined ? {} : { ownRegistries: true }) });
  }

  get #registries(): readonly Registry[] {
    return this.#chosen() ?? [Registry.globalRegistry];
  }

  hasMessages(): boolean {
    return false;
  }

  /** Only a primary has workers. */
  scrape(_isStrict: boolean, _shared: Shared, show: Show): Promise<string> {
    return show([[]]);
  }

  async shutdown(limitMs: number): Promise<void> {
    // Its counts stay where the primary reads them.
    if (this.#isInRun) return;
    if (this.#goodbye === undefined) {
      this.#goodbye = deferred();
      const metrics = await Promise.all(this.#registries.map((registry) => ownFamilies(registry, 'sum')));
      send({ type: GOODBYE, requestId: 0, metrics, endsGauges: true });
    }
    await within(this.#goodbye.promise, limitMs);
  }

  /** True if the primary reads this worker's values without asking. */
  get #isInRun(): boolean {
    return this.#chosen() === undefined && joinedProcesses()?.has(process.ppid) === true;
  }

  async #received(message: Message): Promise<void> {
    if (message.type === ANNOUNCEMENT) {
      if (typeof message.run === 'string') joinRun(message.run);
      this.registriesChanged();
    } else if (message.type === ACKNOWLEDGEMENT) this.#goodbye?.resolve();
    else {
      const registries = message.ofUnshared === true && this.#isInRun ? [] : this.#registries;
      const answer = await answerTo(message, registries, ownFamilies);
      if (answer !== undefined) send(answer);
    }
  }
}

function send(message: object): void {
  if (process.connected) process.send?.(message, undefined, undefined, ignored);
}
