/**
 * Instruments a client of @google/genai. Counts each HTTP request: one call of the SDK may make several, to call functions
 * or to continue an answer, and returns the usage of the last one only. So the internal method that makes one request is
 * wrapped, or the public method if that one is missing.
 */

import { OTHER } from '../../collectors/label-values';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import type { LlmOperation } from '../../collectors/words';
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { read } from '../../read';
import { quietly, warnOnce } from '../../warnings';
import { observeIteratorInPlace } from '../iteration';
import { type CallObserver, measureCall } from '../measure';
import { type CheckedOptions, checkOptions, type InstrumentOptions, type Uninstall } from '../options';
import { Patches } from '../patches';
import { Answer, classifyError, readEmbeddingEnd } from './answer';
import type {
  ContentResponseLike,
  EmbedResponseLike,
  GoogleGenAiClientLike,
  ImagesResponseLike,
  RequestLike,
} from './shapes';
import { watchWire, withWireListener } from './wire';

const OPTIONS = optionNames<InstrumentOptions>('instrumentGoogleGenAI', {
  collector: true,
  provider: true,
  providers: true,
  labels: true,
});

/** One measured request. */
interface MeasuredCall {
  readonly call: LlmCall;
  readonly request: RequestLike;
  /** A failure that the answer itself reports. */
  failure?: unknown;
  /** The status of the last answer. */
  status?: number;
}

/** A method of the client that calls a model. */
interface ModelMethod {
  /** The SDK's internal method, which makes one HTTP request. */
  readonly internal: string;
  /** The public method, which is wrapped if the internal one is missing. */
  readonly public: string;
  readonly operation: LlmOperation;
  /** Records the answer, or observes its stream. */
  record(measured: MeasuredCall, answer: unknown): void;
}

const METHODS: readonly ModelMethod[] = [
  { internal: 'generateContentInternal', public: 'generateContent', operation: 'chat', record: recordContent },
  {
    internal: 'generateContentStreamInternal',
    public: 'generateContentStream',
    operation: 'chat',
    record: recordStream,
  },
  { internal: 'embedContentInternal', public: 'embedContent', operation: 'embeddings', record: recordEmbedding },
  { internal: 'generateImagesInternal', public: 'generateImages', operation: 'image', record: recordImageResponse },
  { internal: 'editImageInternal', public: 'editImage', operation: 'image', record: recordImageResponse },
  { internal: 'upscaleImageInternal', public: 'upscaleImage', operation: 'image', record: recordImageResponse },
];

/**
 * Measures the requests of a client.
 *
 * @param client a `GoogleGenAI`
 * @returns a function that ends the measuring and restores the client's methods
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option, or if `client` is not an object
 *
 * @example
 * const ai = new GoogleGenAI({ apiKey });
 * const uninstall = instrumentGoogleGenAI(ai);
 */
export function instrumentGoogleGenAI(client: GoogleGenAiClientLike, options: InstrumentOptions = {}): Uninstall {
  if (typeof client !== 'object' || client === null) refuseOption('a GoogleGenAI client', 'client', client);
  checkOptionNames(options, OPTIONS);
  const checked = checkOptions(options);
  const patches = new Patches(checked.collector);
  const { models } = client;
  const missing = METHODS.filter((method) => !install(patches, client, method, checked));
  const [first] = missing;
  if (first !== undefined) {
    warnOnce(`Expected @google/genai to have models.${first.public}; it is not measured`);
  }
  watchWire(patches, read(models, 'apiClient'), checked.collector);
  return patches.uninstall;
}

/** Wraps a method. @returns false if the client has no method that can be wrapped */
function install(
  patches: Patches,
  client: GoogleGenAiClientLike,
  method: ModelMethod,
  options: CheckedOptions,
): boolean {
  const models = client.models as Record<string, unknown> | undefined;
  for (const name of [method.internal, method.public]) {
    const wrapped = patches.wrap(models, name, (original, [request]) => {
      const target = quietly(() => readTarget(client, request as RequestLike, method.operation, options));
      if (target === undefined) return original();
      const { collector } = options;
      let measured: MeasuredCall | undefined;
      const listener = {
        retried: (failure: unknown) => collector.recordRetry(target, failure),
        timed: collector.timesAttempts ? (ms: number) => collector.recordAttempt(target, ms) : undefined,
        answered: (status: number) => {
          if (measured !== undefined) measured.status = status;
        },
        reported: (failure: unknown) => {
          if (measured !== undefined) measured.failure ??= failure;
        },
      };
      const send = () => withWireListener(collector, listener, original);
      return measureCall(send, () => {
        measured = { call: collector.startRequest(target), request: request as RequestLike };
        return observeCall(measured, method);
      });
    });
    if (wrapped) return true;
  }
  return false;
}

function observeCall(measured: MeasuredCall, method: ModelMethod): CallObserver {
  return {
    returned: (value) =>
      // The caller gets a new promise, so that Node.js still reports an unhandled rejection.
      (value as Promise<unknown>).then(
        (answer) => {
          const recorded = quietly(() => {
            method.record(measured, answer);
            return true;
          });
          // An answer that cannot be read, such as `null`, still ends the request.
          if (recorded === undefined) quietly(() => measured.call.end());
          return answer;
        },
        (error: unknown) => {
          quietly(() => failed(measured, error));
          throw error;
        },
      ),
    threw: (error) => failed(measured, error),
  };
}

function failed({ call, request, status }: MeasuredCall, error: unknown, end: LlmEnd = {}): void {
  call.fail(classifyError(error, request, status), end);
}

/** Ends a call with an answer, or with the failure that the answer reports. */
function complete({ call, failure }: MeasuredCall, end: LlmEnd): void {
  if (failure === undefined) call.end(end);
  else call.fail(failure, end);
}

function recordContent(measured: MeasuredCall, response: unknown): void {
  const answer = new Answer();
  answer.add(response as ContentResponseLike);
  complete(measured, answer.end());
}

function recordStream(measured: MeasuredCall, chunks: unknown): void {
  const { call } = measured;
  const answer = new Answer();
  observeIteratorInPlace(chunks as AsyncIterator<ContentResponseLike>, {
    value: (chunk) => call.chunk(answer.add(chunk)),
    done: () => complete(measured, answer.end()),
    failed: (error) => failed(measured, error, answer.end()),
    left: () => call.fail(measured.failure ?? 'cancelled', answer.end()),
  });
}

function recordEmbedding(measured: MeasuredCall, response: unknown): void {
  complete(measured, readEmbeddingEnd(response as EmbedResponseLike));
}

function recordImageResponse(measured: MeasuredCall, response: unknown): void {
  const { generatedImages = [] } = response as ImagesResponseLike;
  // A filtered image has neither bytes nor a URI.
  const made = generatedImages.filter(({ image }) => (image?.imageBytes ?? image?.gcsUri) !== undefined).length;
  const isFiltered = made === 0 && generatedImages.some(({ raiFilteredReason }) => raiFilteredReason !== undefined);
  complete(measured, {
    finishReason: isFiltered ? 'content_filter' : undefined,
    media: made > 0 ? { unit: 'images', amount: made } : undefined,
  });
}

function readTarget(
  client: GoogleGenAiClientLike,
  request: RequestLike,
  operation: LlmOperation,
  { resolveProvider, labels }: CheckedOptions,
): LlmTarget {
  const usual = client.vertexai === true ? 'vertex' : 'google';
  const provider = resolveProvider(request.config?.httpOptions?.baseUrl ?? customBaseUrl(client), usual);
  // Only Google offers this API, so an unknown address is a gateway in front of it.
  return { model: stripModelPath(request.model), provider: provider === OTHER ? usual : provider, operation, labels };
}

function customBaseUrl({ models }: GoogleGenAiClientLike): unknown {
  return (models as { apiClient?: { customBaseUrl?: unknown } }).apiClient?.customBaseUrl;
}

/** `gemini-2.5-flash` for `models/gemini-2.5-flash` and for `projects/p/locations/l/publishers/google/models/gemini-2.5-flash`. */
function stripModelPath(given: unknown): string {
  const name = String(given ?? '');
  return name.slice(name.lastIndexOf('/') + 1);
}
