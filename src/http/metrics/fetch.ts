/**
 * Records requests that are a `Request` and get a `Response`. A request is recorded when the response's body has been read,
 * cancelled, or the client has disconnected. Must not know any framework.
 */
import { now, secondsSince } from '../../clock';
import { classifyStatus, type HttpRecorder, type StatusClass, UNMATCHED } from './recorder';

/** Records one request. */
export class FetchExchange {
  readonly #recorder: HttpRecorder;
  readonly #request: Request;
  readonly #method: ReturnType<HttpRecorder['begin']>;
  readonly #start = now();
  readonly #routeOf: () => string | undefined;
  #sent = 0;
  #ended = false;

  /** @param routeOf called after the response has ended */
  constructor(recorder: HttpRecorder, request: Request, routeOf: () => string | undefined) {
    this.#recorder = recorder;
    this.#request = request;
    this.#routeOf = routeOf;
    this.#method = recorder.begin(request.method);
    // The client may disconnect before the handler answers, and the handler may never answer then.
    request.signal?.addEventListener('abort', () => this.#end('aborted'), { once: true });
    if (request.signal?.aborted) this.#end('aborted');
  }

  /** The handler answered. @returns the response to send, whose body is counted; the request is recorded when it ends */
  answered(response: Response): Response {
    const { body, status } = response;
    // Without a body, and for HEAD, there is nothing to count. A response with a status below 200 cannot be copied.
    if (body === null || this.#request.method === 'HEAD' || status < 200) {
      this.#end(classifyStatus(status));
      return response;
    }
    return new Response(this.#counted(body, classifyStatus(status)), response);
  }

  /** The handler threw. The runtime answers with status 500. */
  failed(): void {
    this.#end('5xx');
  }

  #counted(body: ReadableStream<Uint8Array>, complete: StatusClass): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      try {
        const { done, value } = await reader.read();
        if (value !== undefined) {
          this.#sent += value.byteLength;
          controller.enqueue(value);
        }
        if (!done) return;
        this.#end(complete);
        controller.close();
      } catch (error) {
        this.#end('aborted');
        controller.error(error);
      }
    };
    const cancel = (reason: unknown): Promise<void> => {
      this.#end('aborted');
      return reader.cancel(reason);
    };
    // Read nothing ahead, because the time until the runtime has read the body is measured.
    return new ReadableStream({ pull, cancel }, { highWaterMark: 0 });
  }

  #end(statusClass: StatusClass): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#recorder.end(this.#method, {
      route: this.#recorder.guarded('route', this.#routeOf) || UNMATCHED,
      statusClass,
      seconds: secondsSince(this.#start),
      requestBytes: this.#recorder.sizes ? this.#received(statusClass) : undefined,
      responseBytes: this.#recorder.sizes ? this.#sent : undefined,
    });
  }

  /** The length of the request's body by its headers; undefined if unknown, or if the body may be incomplete. */
  #received(statusClass: StatusClass): number | undefined {
    const { headers } = this.#request;
    const length = headers.get('content-length');
    if (length === null) return headers.has('transfer-encoding') ? undefined : 0;
    return statusClass !== 'aborted' && /^\d+$/.test(length) ? Number(length) : undefined;
  }
}
