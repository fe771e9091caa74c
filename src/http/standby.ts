/**
 * Lets several processes of one service start an exporter on one port: the first one listens, the others wait and take its
 * place when it ends. Which of them does is of no consequence, because each shows the values of all.
 */
import { clearInterval, setInterval } from 'node:timers';
import { isPortInUse } from '../errors';
import { announcePort, isPortShared } from '../native/contributor';
import { isSharing } from '../processes/share';
import { forLog, warnOnce } from '../warnings';

/** How often a process that waits tries to listen. A scraper finds an exporter again within a second. */
const TRY_MS = 250;

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
  readonly url: string;
  readonly port: number;
}

/** Starts an exporter, or waits for the port if another process of the run has it. */
export async function startOrStandBy<E extends Listening>(waiting: Waiting<E>): Promise<E | Standby> {
  const { start, port } = waiting;
  announcePort(port);
  try {
    return await start();
  } catch (error) {
    if (!isPortInUse(error) || !isSharing()) throw error;
    // The process that had it may have ended meanwhile, and then only another program can have it.
    if (isPortShared(port)) return new Standby(waiting);
    return start();
  }
}

/** An exporter that waits for its port. */
class Standby implements Listening {
  readonly url: string;
  readonly port: number;
  readonly #start: () => Promise<Listening>;
  readonly #stopCollecting: readonly (() => void)[];
  readonly #timer: NodeJS.Timeout;
  #exporter: Listening | undefined;
  #starting: Promise<void> | undefined;
  #isReady = true;

  constructor({ start, collect, url, port }: Waiting<Listening>) {
    this.url = url;
    this.port = port;
    this.#start = start;
    this.#stopCollecting = collect();
    this.#timer = setInterval(() => {
      this.#starting ??= this.#try();
    }, TRY_MS);
    this.#timer.unref();
  }

  readonly setReady = (ready: boolean): void => {
    this.#isReady = ready;
    this.#exporter?.setReady(ready);
  };

  readonly close = async (options?: { timeoutMs?: number }): Promise<void> => {
    clearInterval(this.#timer);
    await this.#starting;
    await this.#exporter?.close(options);
    for (const stop of this.#stopCollecting) stop();
  };

  async #try(): Promise<void> {
    try {
      this.#exporter = await this.#start();
      clearInterval(this.#timer);
      this.#exporter.setReady(this.#isReady);
    } catch (error) {
      this.#starting = undefined;
      if (!isPortInUse(error)) warnOnce(`The exporter waits for port ${this.port}: ${forLog(error)}`);
    }
  }
}
