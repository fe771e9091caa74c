// Errors of a call as the client sees them: an HTTP status, a type and a message. The collector decides which error
// type they have in the metrics.

export class CallError extends Error {
  /** @param status the status of the answer to the client, if nothing was sent yet. */
  constructor(status, type, message, { retryAfterMs = 0, ...options } = {}) {
    super(message, options);
    this.name = 'CallError';
    this.status = status;
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }

  /**
   * What the collector gets: the type, if only this program knows the failure; otherwise this error, with its status.
   */
  get reported() {
    return this.status === 502 ? this.type : this;
  }

  /**
   * Finds the reason of a failed call: the signal's own reason if it was aborted, otherwise a broken connection, an
   * unreadable answer, or an error in this program.
   */
  static from(error, { signal, chunks }) {
    if (error instanceof CallError) return error;
    if (signal.aborted) return CallError.ofSignal(signal.reason);
    if (error instanceof SyntaxError) {
      return new CallError(502, 'invalid_response', 'The model server sent invalid JSON', { cause: error });
    }
    // fetch() reports every failure of a connection as a TypeError with the socket's error as its cause.
    if (error instanceof TypeError && error.cause !== undefined) {
      return chunks > 0
        ? new CallError(502, 'stream_interrupted', 'The connection to the model server broke during the answer', {
            cause: error,
          })
        : new CallError(502, 'connection', 'The model server cannot be reached', { cause: error });
    }
    return new CallError(500, 'other', 'The gateway failed', { cause: error });
  }

  static ofSignal(reason) {
    if (reason instanceof CallError) return reason;
    return reason?.name === 'TimeoutError'
      ? new CallError(504, 'timeout', 'No complete answer in time', { cause: reason })
      : new CallError(499, 'cancelled', 'The caller cancelled the request', { cause: reason });
  }
}
