/**
 * Middleware for models of the package `ai`: measures each request to a wrapped model. Versions 5 and 6 report no requests
 * to telemetry, so there it is the only way. Has the shape of a middleware and does not depend on the package.
 */
import type { LlmMetricsCollector } from '../../collectors/llm/llm-collector';
import type { LlmTarget } from '../../collectors/llm/request';
import type { UserLabels } from '../../collectors/llm/user-label';
import type { LlmOperation } from '../../collectors/words';
import { refuseOption } from '../../errors';
import { checkOptionNames, optionNames } from '../../options';
import { read } from '../../read';
import { quietly } from '../../warnings';
import { checkOptions, type InstrumentOptions } from '../options';
import { resolveProvider } from './answer';
import type { InstrumentAiSdkOptions } from './instrument';
import { ModelRequest } from './model-request';
import type { ModelAnswerLike } from './shapes';

/** Options of `createAiSdkMiddleware()`. */
export interface AiSdkMiddlewareOptions
  extends Pick<InstrumentAiSdkOptions, 'collector' | 'providers'>,
    Pick<InstrumentOptions, 'labels'> {}

const OPTIONS = optionNames<AiSdkMiddlewareOptions>('createAiSdkMiddleware', {
  collector: true,
  providers: true,
  labels: true,
});

/** A wrapped model and the parameters of one request to it. */
interface Asked {
  readonly params: unknown;
  readonly model: unknown;
}

/** A middleware, as `wrapLanguageModel()`, `wrapEmbeddingModel()`, `wrapImageModel()` and `wrapProvider()` expect it. */
export interface AiSdkMiddleware {
  /** Each version of the SDK has a type of its own for this field; `never` fits all of them. */
  readonly specificationVersion: never;
  wrapGenerate<R>(asked: Asked & { doGenerate: () => PromiseLike<R> }): Promise<R>;
  wrapStream<R>(asked: Asked & { doStream: () => PromiseLike<R> }): Promise<R>;
  wrapEmbed<R>(asked: Asked & { doEmbed: () => PromiseLike<R> }): Promise<R>;
}

/**
 * Makes a middleware that measures the requests to the models it wraps, with `ai` 5, 6 and 7. Each attempt is a request,
 * because a middleware is called again for each attempt of the SDK.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option
 *
 * @example
 * const model = wrapLanguageModel({ model: openai('gpt-4o-mini'), middleware: createAiSdkMiddleware() });
 */
export function createAiSdkMiddleware(options: AiSdkMiddlewareOptions = {}): AiSdkMiddleware {
  if (typeof options !== 'object' || options === null) refuseOption('an object', 'options', options);
  checkOptionNames(options, OPTIONS);
  const { providers = {} } = options;
  if (typeof providers !== 'object' || providers === null) {
    refuseOption('an object of provider names', 'providers', providers);
  }
  const { collector, labels } = checkOptions({ collector: options.collector, labels: options.labels });
  const requests = new Requests(collector, providers, labels);
  return {
    specificationVersion: 'v3' as never,
    // Models of images have the same method as models of languages, and only they have a number of images.
    wrapGenerate: (asked) =>
      requests.measure(asked, read(asked.model, 'maxImagesPerCall') === undefined ? 'chat' : 'image', asked.doGenerate),
    wrapStream: (asked) => requests.measure(asked, 'chat', asked.doStream),
    wrapEmbed: (asked) => requests.measure(asked, 'embeddings', asked.doEmbed),
  };
}

/** A failed attempt. The SDK's next attempt has the same prompt. */
interface Failure {
  readonly model: unknown;
  readonly type: string;
}

/** The requests of the models that one middleware wraps. */
class Requests {
  readonly #failures = new WeakMap<object, Failure>();

  constructor(
    readonly collector: LlmMetricsCollector,
    readonly providers: Readonly<Record<string, string>>,
    readonly labels: UserLabels | undefined,
  ) {}

  async measure<R>(asked: Asked, operation: LlmOperation, run: () => PromiseLike<R>): Promise<R> {
    const request = quietly(() => this.#begin(asked, operation));
    if (request === undefined) return run();
    try {
      const answer = await run();
      return quietly(() => request.passed(answer as R & ModelAnswerLike)) ?? answer;
    } catch (error) {
      quietly(() => this.#failed(asked, request, error));
      throw error;
    }
  }

  #begin({ model, params }: Asked, operation: LlmOperation): ModelRequest {
    const target: LlmTarget = {
      model: String(read(model, 'modelId') ?? ''),
      provider: resolveProvider(read(model, 'provider'), this.providers),
      operation,
      labels: this.labels,
    };
    const prompt = readPrompt(params);
    const before = prompt && this.#failures.get(prompt);
    if (before !== undefined && before.model === model) this.collector.recordRetry(target, before.type);
    return new ModelRequest(this.collector, target, read(params, 'abortSignal'));
  }

  #failed({ model, params }: Asked, request: ModelRequest, error: unknown): void {
    request.failed(error);
    const prompt = readPrompt(params);
    if (prompt !== undefined) this.#failures.set(prompt, { model, type: request.errorType ?? 'other' });
  }
}

/** The object that all attempts of a request have in common. */
function readPrompt(params: unknown): object | undefined {
  const prompt = read(params, 'prompt') ?? read(params, 'values');
  return typeof prompt === 'object' && prompt !== null ? prompt : undefined;
}
