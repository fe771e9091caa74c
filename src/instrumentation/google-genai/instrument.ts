/**
 * Measures what a client of @google/genai asks models. Each HTTP request is one: the SDK makes several within one call
 * where it calls functions or continues an answer by itself, and returns the usage of the last alone.
 */

import { OTHER } from '../../collectors/catalogue';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import type { LlmOperation } from '../../collectors/words';
import { refuseOption } from '../../errors';
import { quietly, warnOnce } from '../../quietly';
import { observeIteratorInPlace } from '../iteration';
import { type CallObserver, measureCall } from '../measure';
import { type CheckedOptions, checkOptions, type InstrumentOptions, type Uninstall } from '../options';
import { isWrapped, Patches } from '../patches';
import { Answer, readEmbeddingEnd } from './answer';
import { countAttempts, withRetryListener } from './attempts';
import { classifyError } from './failure';
import type {
  ContentResponseLike,
  EmbedResponseLike,
  GoogleGenAiClientLike,
  ImagesResponseLike,
  RequestLike,
} from './shapes';

/** A call that is measured, and what is known of it. */
interface MeasuredCall {
  readonly call: LlmCall;
  readonly request: RequestLike;
  readonly target: LlmTarget;
  readonly collector: LlmMetricsCollector;
}

/** A method that asks a model. */
interface ModelMethod {
  /** Makes one HTTP request. */
  readonly one: string;
  /** What users call, where the SDK has no such method. */
  readonly whole: string;
  readonly operation: LlmOperation;
  /** The answer has come, or its stream has. */
  answered(measured: MeasuredCall, answer: unknown): void;
}

const METHODS: readonly ModelMethod[] = [
  { one: 'generateContentInternal', whole: 'generateContent', operation: 'chat', answered: content },
  { one: 'generateContentStreamInternal', whole: 'generateContentStream', operation: 'chat', answered: stream },
  { one: 'embedContentInternal', whole: 'embedContent', operation: 'embeddings', answered: embedding },
  { one: 'generateImagesInternal', whole: 'generateImages', operation: 'image', answered: images },
  { one: 'editImageInternal', whole: 'editImage', operation: 'image', answered: images },
  { one: 'upscaleImageInternal', whole: 'upscaleImage', operation: 'image', answered: images },
];

/**
 * Measures a client's requests until the returned function is called.
 *
 * @example
 * const ai = new GoogleGenAI({ apiKey });
 * const uninstall = instrumentGoogleGenAI(ai);
 * @throws {ConfigurationError} `INVALID_CONFIG`
 */
export function instrumentGoogleGenAI(client: GoogleGenAiClientLike, options: InstrumentOptions = {}): Uninstall {
  if (typeof client !== 'object' || client === null) refuseOption('a GoogleGenAI', 'client', client);
  const instrumentation = checkOptions(options);
  const patches = new Patches();
  const { models } = client;
  const missing = METHODS.filter((method) => !isMeasured(patches, client, method, instrumentation));
  const [first] = missing;
  if (first !== undefined) {
    warnOnce(`Not measured, for this version of @google/genai has it elsewhere: models.${first.whole}`);
  }
  patches.replace((models as { apiClient?: unknown } | undefined)?.apiClient, 'apiCall', countAttempts);
  return patches.uninstall;
}

/** Wraps a method. @returns whether it is wrapped now, by this instrumentation or another */
function isMeasured(
  patches: Patches,
  client: GoogleGenAiClientLike,
  method: ModelMethod,
  instrumentation: CheckedOptions,
): boolean {
  const models = client.models as Record<string, unknown> | undefined;
  for (const name of [method.one, method.whole]) {
    if (isWrapped(models?.[name])) return true;
    const isNow = patches.wrap(models, name, (original, [request]) => {
      const target = quietly(() => readTarget(client, request as RequestLike, method.operation, instrumentation));
      if (target === undefined) return original();
      const { collector } = instrumentation;
      const attempts = () => withRetryListener((failure) => collector.recordRetry(target, failure), original);
      return measureCall(attempts, () => {
        const call = collector.startRequest(target);
        return observeCall({ call, request: request as RequestLike, target, collector }, method);
      });
    });
    if (isNow) return true;
  }
  return false;
}

function observeCall(measured: MeasuredCall, method: ModelMethod): CallObserver {
  return {
    returned: (value) =>
      // A promise of one's own, so that one that nobody handles is still reported.
      (value as Promise<unknown>).then(
        (answer) => {
          const read = quietly(() => {
            method.answered(measured, answer);
            return true;
          });
          // One that cannot be read, such as `null`, was an answer all the same.
          if (read === undefined) quietly(() => measured.call.end());
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

function failed({ call, request }: MeasuredCall, error: unknown, end: LlmEnd = {}): void {
  call.fail(classifyError(error, request), end);
}

function content(measured: MeasuredCall, response: unknown): void {
  const answer = new Answer();
  answer.take(response as ContentResponseLike);
  recordImages(measured, answer.images);
  measured.call.end(answer.end());
}

function stream(measured: MeasuredCall, chunks: unknown): void {
  const { call } = measured;
  const answer = new Answer();
  observeIteratorInPlace(chunks as AsyncIterator<ContentResponseLike>, {
    value: (chunk) => call.chunk(answer.take(chunk)),
    done: () => {
      recordImages(measured, answer.images);
      call.end(answer.end());
    },
    failed: (error) => failed(measured, error, answer.end()),
    left: () => call.fail('cancelled', answer.end()),
  });
}

function embedding({ call }: MeasuredCall, response: unknown): void {
  call.end(readEmbeddingEnd(response as EmbedResponseLike));
}

function images(measured: MeasuredCall, response: unknown): void {
  const { generatedImages = [] } = response as ImagesResponseLike;
  // One that was filtered has an image without bytes or place.
  const made = generatedImages.filter(({ image }) => (image?.imageBytes ?? image?.gcsUri) !== undefined).length;
  recordImages(measured, made);
  const isFiltered = made === 0 && generatedImages.some(({ raiFilteredReason }) => raiFilteredReason !== undefined);
  measured.call.end(isFiltered ? { finishReason: 'content_filter' } : {});
}

function recordImages({ collector, target }: MeasuredCall, made: number): void {
  if (made > 0) collector.recordMedia(target, 'images', made);
}

function readTarget(
  client: GoogleGenAiClientLike,
  request: RequestLike,
  operation: LlmOperation,
  { resolveProvider }: CheckedOptions,
): LlmTarget {
  const usual = client.vertexai === true ? 'vertex' : 'google';
  const provider = resolveProvider(request.config?.httpOptions?.baseUrl ?? customBaseUrl(client), usual);
  // Nobody but Google speaks this language: an unknown address is a gateway before it.
  return { model: stripModelPath(request.model), provider: provider === OTHER ? usual : provider, operation };
}

function customBaseUrl({ models }: GoogleGenAiClientLike): unknown {
  return (models as { apiClient?: { customBaseUrl?: unknown } }).apiClient?.customBaseUrl;
}

/** `gemini-2.5-flash` of `models/gemini-2.5-flash` and of `projects/p/locations/l/publishers/google/models/gemini-2.5-flash`. */
function stripModelPath(given: unknown): string {
  const name = String(given ?? '');
  return name.slice(name.lastIndexOf('/') + 1);
}
