/**
 * Requests that are a `Request` and responses that are a `Response`: recorded when the response's body has been read
 * to its end, or will not be. Knows no framework.
 */
import { now, secondsSince } from '../../clock';
import { classOf, type HttpRecorder, type StatusClass, UNMATCHED } from './recorder';

/** Records one request. Nothing holds it in flight once its response is read, cancelled, or its client gone. */
export class FetchExchange {
  readonly #recorder: HttpRecorder;
  readonly #request: Request;
  readonly #method: ReturnType<HttpRecorder['begin']>;
  readonly #start = now();
  readonly #routeOf: () => string | undefined;
  #sent = 0;
  #ended = false;

  /** @param routeOf asked for once the response has ended */
  constructor(recorder: HttpRecorder, request: Request, routeOf: () => string | undefined) {
    this.#recorder = recorder;
    this.#request = request;
    this.#routeOf = routeOf;
    this.#method = recorder.begin(request.method);
    // The client may go long before the handler answers, and it may never answer then.
    request.signal?.addEventListener('abort', () => this.#end('aborted'), { once: true });
    if (request.signal?.aborted) this.#end('aborted');
  }

  /** The same response; one that has a body is recorded when that ends. */
  answered(response: Response): Response {
    const { body, status } = response;
    // A response that is not made here cannot be made again with another body; its runtime sends no body for HEAD.
    if (body === null || this.#request.method === 'HEAD' || status < 200) {
      this.#end(classOf(status));
      return response;
    }
    return new Response(this.#counted(body, classOf(status)), response);
  }

  /** The handler threw: its runtime answers with status 500. */
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
    // Nothing is read ahead: the runtime's reading is what is measured.
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

  /** What the headers say about the request's body; `undefined` where they do not, or it may not have come whole. */
  #received(statusClass: StatusClass): number | undefined {
    const { headers } = this.#request;
    const length = headers.get('content-length');
    if (length === null) return headers.has('transfer-encoding') ? undefined : 0;
    return statusClass !== 'aborted' && /^\d+$/.test(length) ? Number(length) : undefined;
  }
}
