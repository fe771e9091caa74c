/**
 * Lets several processes of one service start an exporter on one port: the first one listens, the others wait and take its
 * place when it ends. Which of them does is of no consequence, because each shows the values of all.
 */
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { isPortInUse } from '../errors';
import { announcePort, listensOn, portUse } from '../native/contributor';
import { forLog, warnOnce } from '../warnings';
import { checkedReady } from './door';

/** How often a process that waits tries to listen. A scraper finds an exporter again within a second. */
const TRY_MS = 250;
/** After how many attempts a process that waits looks who has the port. */
const LOOK_TRIES = 40;
/** The time until the next attempt where several processes have tried at once. Each waits for another time. */
const [SHORTEST_MS, LONGEST_MS] = [10, 60];
/** How long a process that starts waits for others that try too. One of them may be stopped, or the port a foreign program's. */
const PATIENCE_MS = 5000;

/** What a running exporter and one that waits have in common. */
interface Listening {
  setReady(ready: boolean): void;
  close(options?: { timeoutMs?: number }): Promise<void>;
}

/** What an exporter needs to wait for its port. */
interface Waiting<E extends Listening> {
  start(): Promise<E>;
  /** Starts the collectors that the settings turn on. @returns functions that stop them */
  collect(): (() => void)[];
  /** True if a socket listens on the port. Costs little, other than an attempt to start. */
  isTaken(): boolean;
  /** Throws if the argument of `close()` is invalid. */
  checkClose(options?: { timeoutMs?: number }): void;
  readonly url: string;
  readonly port: number;
}

/** Starts an exporter, or waits for the port if another process of the run listens on it. */
export async function startOrStandBy<E extends Listening>(waiting: Waiting<E>): Promise<E | Standby> {
  // The process that had the port may have ended after the first attempt.
  let isLast = false;
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await listen(waiting);
    } catch (error) {
      if (!isPortInUse(error)) throw error;
      const isUsed = portUse(waiting.port);
      if (isUsed === true) return new Standby(waiting);
      if ((isUsed === null && isLast) || performance.now() > end) throw error;
      isLast = isUsed === null;
      // Another process is trying too: either it gets the port, or an unknown program has it.
      if (!isLast) await setTimeout(SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS));
    }
  }
}

/** Starts an exporter. While it is starting and while it runs, the other processes of the run know its port. */
async function listen<E extends Listening>({ start, port }: Waiting<E>): Promise<E> {
  // Another exporter of this realm may have the port: this one fails then, and the other one stays announced.
  const isOwn = listensOn(port);
  if (!isOwn) announcePort(port, false);
  try {
    const exporter = await start();
    announcePort(port, true);
    const close = async (options?: { timeoutMs?: number }) => {
      await exporter.close(options);
      announcePort(port, undefined);
    };
    return { ...exporter, close };
  } catch (error) {
    if (!isOwn) announcePort(port, undefined);
    throw error;
  }
}

/** An exporter that waits for its port. */
class Standby implements Listening {
  readonly url: string;
  readonly port: number;
  readonly #waiting: Waiting<Listening>;
  readonly #stopCollecting: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout;
  #exporter: Listening | undefined;
  #starting: Promise<void> | undefined;
  #isReady = true;
  #tries = 0;

  constructor(waiting: Waiting<Listening>) {
    this.url = waiting.url;
    this.port = waiting.port;
    this.#waiting = waiting;
    this.#stopCollecting = waiting.collect();
    this.#timer = setInterval(() => {
      if (this.#starting !== undefined) return;
      if (waiting.isTaken()) this.#waitOn();
      else this.#starting = this.#try();
    }, TRY_MS);
    this.#timer.unref();
  }

  readonly setReady = (ready: boolean): void => {
    this.#isReady = checkedReady(ready);
    this.#exporter?.setReady(ready);
  };

  readonly close = async (options?: { timeoutMs?: number }): Promise<void> => {
    this.#waiting.checkClose(options);
    clearInterval(this.#timer);
    await this.#starting;
    await this.#exporter?.close(options);
    for (const stop of this.#stopCollecting) stop();
  };

  async #try(): Promise<void> {
    try {
      this.#exporter = await listen(this.#waiting);
      clearInterval(this.#timer);
      this.#exporter.setReady(this.#isReady);
    } catch (error) {
      this.#starting = undefined;
      // Another process may have been faster.
      if (isPortInUse(error)) this.#waitOn();
      else this.#warn(forLog(error));
    }
  }

  /** Mostly another process of the run has the port. */
  #waitOn(): void {
    this.#tries += 1;
    if (this.#tries % LOOK_TRIES === 0 && portUse(this.port) === null) this.#warn('another program listens on it');
  }

  #warn(reason: string): void {
    warnOnce(`The exporter waits for port ${this.port}: ${reason}`);
  }
}
