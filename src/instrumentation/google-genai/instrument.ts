/**
 * Measures what a client of @google/genai asks models. Each HTTP request is one: the SDK makes several within one call
 * where it calls functions or continues an answer by itself, and returns the usage of the last alone.
 */

import { OTHER } from '../../collectors/label-values';
import type { LlmCall } from '../../collectors/llm/call';
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmEnd, LlmTarget } from '../../collectors/llm/request';
import type { LlmOperation } from '../../collectors/words';
import { refuseOption } from '../../errors';
import { quietly, warnOnce } from '../../quietly';
import { observeInPlace } from '../in-place';
import { type Measuring, measured } from '../measure';
import { type Instrumenting, type InstrumentOptions, instrumenting, type Uninstall } from '../options';
import { isWrapped, Patches } from '../patches';
import { Answer, endOfEmbedding } from './answer';
import { countingAttempts, tellingRetries } from './attempts';
import { failureOf } from './failure';
import type {
  ContentResponseLike,
  EmbedResponseLike,
  GoogleGenAiClientLike,
  ImagesResponseLike,
  RequestLike,
} from './shapes';

/** A call that is measured, and what is known of it. */
interface Asking {
  readonly call: LlmCall;
  readonly request: RequestLike;
  readonly target: LlmTarget;
  readonly collector: LlmMetricsCollector;
}

/** A method that asks a model. */
interface AskingMethod {
  /** Makes one HTTP request. */
  readonly one: string;
  /** What users call, where the SDK has no such method. */
  readonly whole: string;
  readonly operation: LlmOperation;
  /** The answer has come, or its stream has. */
  answered(asking: Asking, answer: unknown): void;
}

const METHODS: readonly AskingMethod[] = [
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
  const instrumentation = instrumenting(options);
  const patches = new Patches();
  const { models } = client;
  const missing = METHODS.filter((method) => !isMeasured(patches, client, method, instrumentation));
  const [first] = missing;
  if (first !== undefined) {
    warnOnce(`Not measured, for this version of @google/genai has it elsewhere: models.${first.whole}`);
  }
  patches.replace((models as { apiClient?: unknown } | undefined)?.apiClient, 'apiCall', countingAttempts);
  return patches.uninstall;
}

/** Wraps a method. @returns whether it is wrapped now, by this instrumentation or another */
function isMeasured(
  patches: Patches,
  client: GoogleGenAiClientLike,
  method: AskingMethod,
  instrumentation: Instrumenting,
): boolean {
  const models = client.models as Record<string, unknown> | undefined;
  for (const name of [method.one, method.whole]) {
    if (isWrapped(models?.[name])) return true;
    const isNow = patches.wrap(models, name, (original, [request]) => {
      const target = quietly(() => targetOf(client, request as RequestLike, method.operation, instrumentation));
      if (target === undefined) return original();
      const { collector } = instrumentation;
      const attempts = () => tellingRetries((failure) => collector.recordRetry(target, failure), original);
      return measured(attempts, () => {
        const call = collector.startRequest(target);
        return measuring({ call, request: request as RequestLike, target, collector }, method);
      });
    });
    if (isNow) return true;
  }
  return false;
}

function measuring(asking: Asking, method: AskingMethod): Measuring {
  return {
    returned: (value) =>
      // A promise of one's own, so that one that nobody handles is still reported.
      (value as Promise<unknown>).then(
        (answer) => {
          const read = quietly(() => {
            method.answered(asking, answer);
            return true;
          });
          // One that cannot be read, such as `null`, was an answer all the same.
          if (read === undefined) quietly(() => asking.call.end());
          return answer;
        },
        (error: unknown) => {
          quietly(() => failed(asking, error));
          throw error;
        },
      ),
    threw: (error) => failed(asking, error),
  };
}

function failed({ call, request }: Asking, error: unknown, end: LlmEnd = {}): void {
  call.fail(failureOf(error, request), end);
}

function content(asking: Asking, response: unknown): void {
  const answer = new Answer();
  answer.take(response as ContentResponseLike);
  recordImages(asking, answer.images);
  asking.call.end(answer.end());
}

function stream(asking: Asking, chunks: unknown): void {
  const { call } = asking;
  const answer = new Answer();
  observeInPlace(chunks as AsyncIterator<ContentResponseLike>, {
    value: (chunk) => call.chunk(answer.take(chunk)),
    done: () => {
      recordImages(asking, answer.images);
      call.end(answer.end());
    },
    failed: (error) => failed(asking, error, answer.end()),
    left: () => call.fail('cancelled', answer.end()),
  });
}

function embedding({ call }: Asking, response: unknown): void {
  call.end(endOfEmbedding(response as EmbedResponseLike));
}

function images(asking: Asking, response: unknown): void {
  const { generatedImages = [] } = response as ImagesResponseLike;
  // One that was filtered has an image without bytes or place.
  const made = generatedImages.filter(({ image }) => (image?.imageBytes ?? image?.gcsUri) !== undefined).length;
  recordImages(asking, made);
  const isFiltered = made === 0 && generatedImages.some(({ raiFilteredReason }) => raiFilteredReason !== undefined);
  asking.call.end(isFiltered ? { finishReason: 'content_filter' } : {});
}

function recordImages({ collector, target }: Asking, made: number): void {
  if (made > 0) collector.recordMedia(target, 'images', made);
}

function targetOf(
  client: GoogleGenAiClientLike,
  request: RequestLike,
  operation: LlmOperation,
  { providerOf }: Instrumenting,
): LlmTarget {
  const usual = client.vertexai === true ? 'vertex' : 'google';
  const provider = providerOf(request.config?.httpOptions?.baseUrl ?? customBaseUrl(client), usual);
  // Nobody but Google speaks this language: an unknown address is a gateway before it.
  return { model: modelOf(request.model), provider: provider === OTHER ? usual : provider, operation };
}

function customBaseUrl({ models }: GoogleGenAiClientLike): unknown {
  return (models as { apiClient?: { customBaseUrl?: unknown } }).apiClient?.customBaseUrl;
}

/** `gemini-2.5-flash` of `models/gemini-2.5-flash` and of `projects/p/locations/l/publishers/google/models/gemini-2.5-flash`. */
function modelOf(given: unknown): string {
  const name = String(given ?? '');
  return name.slice(name.lastIndexOf('/') + 1);
}
