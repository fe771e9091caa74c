/**
 * Has pushers push once more when the process, or the worker, ends: when it has nothing left to do, at `process.exit()`, after
 * an uncaught error, and at SIGTERM and SIGINT as long as the program has no handler of its own.
 */
import { isMainThread } from 'node:worker_threads';
import { realMs } from '../clock';

/** A pusher, as far as the end is concerned. */
interface Ending {
  flush(timeoutMs: number): Promise<void>;
  close(timeoutMs: number): Promise<void>;
  /** Begins what `closeNow` waits for. */
  beginClose(timeoutMs: number): void;
  /** Blocks the thread. */
  closeNow(timeoutMs: number): void;
}

/** How long the end may be delayed. */
const BUDGET_MS = 2000;
/** What is left of it, at least, after a push that took the whole time. */
const LEAST_MS = 100;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type Signal = (typeof SIGNALS)[number];
type Listener = (...args: unknown[]) => void;

const open = new Set<Ending>();
/** How long the last push of `onIdle` has taken, and when it ended. */
let spentMs = 0;
let flushedMs = Number.NEGATIVE_INFINITY;
let isFlushing = false;

/** Adds a pusher; returns a function that removes it. */
export function endWithProcess(ending: Ending): () => void {
  if (open.size === 0) watch('on');
  open.add(ending);
  flushedMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (open.delete(ending) && open.size === 0) watch('off');
  };
}

/** @param add `on` or `off`: methods of `process` */
function watch(add: 'on' | 'off'): void {
  process[add]('beforeExit', onIdle);
  process[add]('exit', onExit);
  if (!isMainThread) return;
  process[add]('newListener', onAdded as Listener);
  process[add]('removeListener', onRemoved as Listener);
  for (const signal of SIGNALS) {
    if (add === 'off' || process.listenerCount(signal) === 0) process[add](signal, onSignal);
  }
}

/** True if the end of the process follows the push of `onIdle`, so that they share the time. */
function hasJustFlushed(): boolean {
  return realMs() - flushedMs < BUDGET_MS;
}

/**
 * The event loop has nothing left to do: collectors can still run. The push itself is something to do, so this is called again
 * when it has ended. A program that goes on for longer has not ended then.
 */
function onIdle(): void {
  if (isFlushing || hasJustFlushed()) return;
  isFlushing = true;
  const begunMs = realMs();
  Promise.allSettled([...open].map((ending) => ending.flush(BUDGET_MS))).then(() => {
    isFlushing = false;
    flushedMs = realMs();
    spentMs = flushedMs - begunMs;
  });
}

function onExit(): void {
  const budgetMs = Math.max(LEAST_MS, BUDGET_MS - (hasJustFlushed() ? spentMs : 0));
  const endMs = realMs() + budgetMs;
  // All at once: a receiver that does not answer takes no time from the others.
  for (const ending of open) ending.beginClose(budgetMs);
  for (const ending of open) ending.closeNow(Math.max(0, endMs - realMs()));
}

/** Ends the process as the signal would without a listener. */
function onSignal(signal: Signal): void {
  const endings = [...open].map((ending) => ending.close(BUDGET_MS));
  // A second signal must end the process at once.
  watch('off');
  Promise.allSettled(endings).then(() => process.kill(process.pid, signal));
}

/** The program gets a handler of its own, which decides from now on. */
function onAdded(event: Signal, listener: unknown): void {
  if (!SIGNALS.includes(event) || listener === onSignal) return;
  // Not before the program's listener is there: Node.js would stop to watch the signal.
  queueMicrotask(() => {
    if (process.listenerCount(event) > 1) process.off(event, onSignal);
  });
}

function onRemoved(event: Signal, listener: unknown): void {
  if (SIGNALS.includes(event) && listener !== onSignal && process.listenerCount(event) === 0) {
    process.on(event, onSignal);
  }
}
