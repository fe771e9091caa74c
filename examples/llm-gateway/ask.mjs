// Asks a model and measures each attempt at a model as one call. An overloaded model is asked a second time; then
// another model is asked. The gateway's clients and the agents both use this function.

import { setTimeout as sleep } from 'node:timers/promises';
import { CallError } from './call-error.mjs';
import { parseJson } from './http-json.mjs';
import { llm } from './metrics.mjs';
import { MODELS } from './models.mjs';
import { recordRateLimits } from './rate-limits.mjs';

/** Statuses of temporary errors. Other errors would only happen again. */
const PASSING = new Set([429, 503, 529]);

/**
 * @param modelServerUrl the base URL of a server that speaks OpenAI's wire format.
 * @param startCall starts a measured call; the call log replaces it.
 * @returns a function that takes a request, a signal that ends it, and a function that reads the answer.
 */
export function createAsk({ modelServerUrl, startCall = (target) => llm.startRequest(target) }) {
  return async function ask(body, { signal, read = readWhole, id }) {
    let attempts = 0;
    const send = (target) => post(modelServerUrl, target, { body, signal, attempt: attempts++ });

    /** The measured part: starts a call, lets the reader report chunks, and ends the call in every case. */
    const askOne = async (target) => {
      const call = startCall(target, id);
      try {
        const response = await sendPatiently(target, { send, signal });
        const answer = await read(response, call);
        call.end(endOf(answer));
        llm.setModelInfo(target, answer.model);
        if (target.operation === 'image') llm.recordMedia(target, 'images', answer.data.length);
        return answer;
      } catch (error) {
        const failure = CallError.from(error, { signal, chunks: call.chunks });
        call.fail(failure.reported);
        // Chunks that were passed on cannot be taken back, so another model must not start again.
        failure.begun = call.chunks > 0;
        throw failure;
      }
    };

    const target = MODELS.get(body.model);
    try {
      return await askOne(target);
    } catch (failure) {
      const other = MODELS.get(target.fallback);
      if (other === undefined || failure.begun || !isProviders(failure)) throw failure;
      return await fallBack(target, other, askOne);
    }
  };
}

async function fallBack(from, to, askOne) {
  try {
    const answer = await askOne(to);
    llm.recordFallback(from.model, to.model);
    return answer;
  } catch (failure) {
    llm.recordFallback(from.model, to.model, 'error');
    throw failure;
  }
}

async function sendPatiently(target, { send, signal }) {
  try {
    return await send(target);
  } catch (error) {
    if (!PASSING.has(error.status)) throw error;
    llm.recordRetry(target, error);
    await sleep(error.retryAfterMs, undefined, { signal });
    return send(target);
  }
}

async function post(baseUrl, target, { body, signal, attempt }) {
  const response = await fetch(baseUrl + target.path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-attempt': String(attempt) },
    body: JSON.stringify({ ...body, model: target.model }),
    signal,
  });
  recordRateLimits(target, response.headers);
  if (response.ok) return response;
  const error = parseJson(await response.text())?.error;
  const retryAfterMs = Number(response.headers.get('retry-after-ms') ?? 0);
  const { type = 'other', message = 'The model server refused' } = error ?? {};
  throw new CallError(response.status, type, message, { retryAfterMs });
}

async function readWhole(response) {
  return JSON.parse(await response.text());
}

/** The end of an answer in the collector's words. Figures that the provider did not report stay undefined. */
function endOf({ usage, choices }) {
  const searches = usage?.server_tool_use?.web_search_requests;
  return {
    inputTokens: usage?.prompt_tokens ?? usage?.input_tokens,
    outputTokens: usage?.completion_tokens ?? usage?.output_tokens,
    cacheReadTokens: usage?.prompt_tokens_details?.cached_tokens,
    cacheWriteTokens: usage?.prompt_tokens_details?.cache_write_tokens,
    reasoningTokens: usage?.completion_tokens_details?.reasoning_tokens,
    serverToolCalls: searches === undefined ? undefined : { web_search: searches },
    finishReason: choices?.[0]?.finish_reason,
  };
}

/** True if the provider is the cause: no capacity, a failure, or an answer that broke off. */
function isProviders({ status }) {
  return status === 429 || (status >= 500 && status !== 504);
}
