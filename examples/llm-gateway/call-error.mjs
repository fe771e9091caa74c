// What can go wrong with a call: a small, fixed set of error types, because they become label values.

const TYPE_BY_STATUS = new Map([
  [400, 'invalid_request'],
  [401, 'authentication'],
  [402, 'quota_exceeded'],
  [403, 'permission'],
  [404, 'not_found'],
  [408, 'timeout'],
  [409, 'invalid_request'],
  [412, 'invalid_request'],
  [413, 'request_too_large'],
  [422, 'invalid_request'],
  [429, 'rate_limit'],
  [503, 'overloaded'],
  [504, 'timeout'],
  [529, 'overloaded'],
]);

export class CallError extends Error {
  /** @param httpStatus is what the client is answered, as long as nothing has been sent. */
  constructor(type, httpStatus, message, options) {
    super(message, options);
    this.name = 'CallError';
    this.type = type;
    this.httpStatus = httpStatus;
  }

  static fromStatus(httpStatus, message) {
    const type = TYPE_BY_STATUS.get(httpStatus) ?? (httpStatus >= 500 ? 'server_error' : 'other');
    return new CallError(type, httpStatus, message);
  }

  /**
   * Names the reason why the answer of a model server could not be had: the signal's own where it gave up, else
   * a broken connection, an answer that cannot be read, or a fault of this program.
   */
  static from(error, { signal, chunks }) {
    if (error instanceof CallError) return error;
    if (signal.aborted) return signal.reason;
    if (error instanceof SyntaxError) {
      return new CallError('invalid_response', 502, 'The model server sent no valid JSON', { cause: error });
    }
    // fetch() reports everything that happens to a connection as a TypeError that carries the socket's error.
    if (error instanceof TypeError && error.cause !== undefined) {
      return chunks > 0
        ? new CallError('stream_interrupted', 502, 'The model server broke off', { cause: error })
        : new CallError('connection', 502, 'The model server cannot be reached', { cause: error });
    }
    return new CallError('other', 500, 'The gateway failed', { cause: error });
  }
}
