// What can go wrong with a call, as the client is told it: an HTTP status, a type and a message. What kind of error that
// is in metrics, the collector finds out.

export class CallError extends Error {
  /** @param status is what the client is answered, as long as nothing has been sent. */
  constructor(status, type, message, { retryAfterMs = 0, ...options } = {}) {
    super(message, options);
    this.name = 'CallError';
    this.status = status;
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }

  /** What the collector is told: a failure that only this program knows has its name, and no status that says it. */
  get reported() {
    return this.status === 502 ? this.type : this;
  }

  /**
   * Names the reason why the answer of a model server could not be had: the signal's own where it gave up, else
   * a broken connection, an answer that cannot be read, or a fault of this program.
   */
  static from(error, { signal, chunks }) {
    if (error instanceof CallError) return error;
    if (signal.aborted) return CallError.ofSignal(signal.reason);
    if (error instanceof SyntaxError) {
      return new CallError(502, 'invalid_response', 'The model server sent no valid JSON', { cause: error });
    }
    // fetch() reports everything that happens to a connection as a TypeError that carries the socket's error.
    if (error instanceof TypeError && error.cause !== undefined) {
      return chunks > 0
        ? new CallError(502, 'stream_interrupted', 'The model server broke off', { cause: error })
        : new CallError(502, 'connection', 'The model server cannot be reached', { cause: error });
    }
    return new CallError(500, 'other', 'The gateway failed', { cause: error });
  }

  static ofSignal(reason) {
    if (reason instanceof CallError) return reason;
    return reason?.name === 'TimeoutError'
      ? new CallError(504, 'timeout', 'No complete answer in time', { cause: reason })
      : new CallError(499, 'cancelled', 'Nobody waits any more', { cause: reason });
  }
}
