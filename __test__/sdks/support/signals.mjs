// Signals that abort by themselves. A timer of each keeps the process alive, as that of AbortSignal.timeout() does not:
// where nothing else is waited for, AVA would end the test.

/** A signal that a caller aborts after `ms`. */
export function abortedIn(ms, reason) {
  const abort = new AbortController();
  setTimeout(() => abort.abort(reason), ms);
  return abort.signal;
}

/** AbortSignal.timeout(ms), for which the process waits. */
export function timedOutIn(ms) {
  const signal = AbortSignal.timeout(ms);
  const alive = setInterval(() => signal.aborted && clearInterval(alive), ms);
  return signal;
}
