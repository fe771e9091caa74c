// Sends each failure in each way in which a provider or gateway can report it, and compares what an integration records. Any
// integration can be held against the same table: see `holdsFailures()`.

import { recorded } from './recorded.mjs';
import { timedOutIn } from './signals.mjs';
import { cut, events, json, silence } from './wire-server.mjs';

/** What an error object says, with the HTTP status that it comes with, and what must be recorded. */
const ERRORS = [
  [429, { code: 'rate_limit_exceeded', type: 'tokens', message: 'Rate limit reached' }, 'rate_limit'],
  [429, { type: 'rate_limit_error', message: 'slow down' }, 'rate_limit'],
  [429, { code: 429, message: 'Provider returned error' }, 'rate_limit'],
  [429, { code: '429', message: 'Too many' }, 'rate_limit'],
  [429, { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'Resource has been exhausted' }, 'rate_limit'],
  [429, { code: 'insufficient_quota', message: 'You exceeded your current quota' }, 'quota_exceeded'],
  [402, { code: 402, message: 'This request requires more credits' }, 'quota_exceeded'],
  [
    400,
    { type: 'invalid_request_error', message: 'Your credit balance is too low to access the API.' },
    'quota_exceeded',
  ],
  [529, { type: 'overloaded_error', message: 'Overloaded' }, 'overloaded'],
  [503, { code: 503, status: 'UNAVAILABLE', message: 'The model is overloaded' }, 'overloaded'],
  [401, { code: 'invalid_api_key', message: 'Incorrect API key provided' }, 'authentication'],
  [401, { code: 401, status: 'UNAUTHENTICATED', message: 'no' }, 'authentication'],
  [403, { type: 'permission_error', message: 'no' }, 'permission'],
  [403, { code: 403, status: 'PERMISSION_DENIED', message: 'no' }, 'permission'],
  [404, { code: 'model_not_found', message: 'The model does not exist' }, 'not_found'],
  [404, { code: 404, message: 'no endpoints found' }, 'not_found'],
  [413, { type: 'request_too_large', message: 'too large' }, 'request_too_large'],
  [400, { code: 'context_length_exceeded', message: 'too long' }, 'context_length'],
  [
    400,
    { code: 400, type: 'BadRequestError', message: "This model's maximum context length is 8192 tokens." },
    'context_length',
  ],
  [
    400,
    { type: 'invalid_request_error', message: 'prompt is too long: 208310 tokens > 200000 maximum' },
    'context_length',
  ],
  [
    400,
    {
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'The input token count (12) exceeds the maximum number of tokens allowed (10).',
    },
    'context_length',
  ],
  [400, { code: 'content_filter', message: 'filtered' }, 'content_filter'],
  [400, { code: 400, status: 'INVALID_ARGUMENT', message: 'no' }, 'invalid_request'],
  [422, { type: 'invalid_request_error', message: 'no' }, 'invalid_request'],
  [500, { type: 'api_error', message: 'no' }, 'server_error'],
  [500, { code: 500, status: 'INTERNAL', message: 'no' }, 'server_error'],
  [502, { code: 502, message: 'Upstream failed' }, 'server_error'],
  [504, { type: 'timeout_error', message: 'no' }, 'timeout', 'timeout'],
  [504, { code: 504, status: 'DEADLINE_EXCEEDED', message: 'no' }, 'timeout', 'timeout'],
].map(([status, error, type, outcome = 'error']) => ({ status, error, type, outcome }));

/** Failures of which only the HTTP status is known: the body is empty, a page of a proxy, or says nothing. */
const STATUSES = [
  [400, 'invalid_request'],
  [401, 'authentication'],
  [402, 'quota_exceeded'],
  [403, 'permission'],
  [404, 'not_found'],
  [408, 'timeout', 'timeout'],
  [409, 'invalid_request'],
  [413, 'request_too_large'],
  [422, 'invalid_request'],
  [429, 'rate_limit'],
  [500, 'server_error'],
  [502, 'server_error'],
  [503, 'overloaded'],
  [504, 'timeout', 'timeout'],
  [529, 'overloaded'],
].map(([status, type, outcome = 'error']) => ({ status, type, outcome }));

const PAGES = [{}, '', '<html><body>Bad gateway</body></html>', { error: {} }, { detail: 'no' }, { message: 'no' }];

/** All failures: a title, the answer that reports it, whether the request must be streamed, and what must be recorded. */
function* failures({ inBody, inEvent }) {
  for (const { status, error, type, outcome } of ERRORS) {
    const says = JSON.stringify(error);
    yield { title: `status ${status} ${says}`, answer: json({ error }, { status }), type, outcome };
    yield {
      title: `status ${status} of a type, ${says}`,
      answer: json({ type: 'error', error }, { status }),
      type,
      outcome,
    };
    if (inBody !== undefined) yield { title: `in a body, ${says}`, answer: json(inBody(error)), type, outcome };
    for (const [index, list] of (inEvent?.(error) ?? []).entries()) {
      yield { title: `in an event (${index}), ${says}`, answer: events(list), stream: true, type, outcome };
    }
  }
  for (const [index, { status, type, outcome }] of STATUSES.entries()) {
    const page = PAGES[index % PAGES.length];
    yield { title: `status ${status} with ${JSON.stringify(page)}`, answer: json(page, { status }), type, outcome };
  }
  yield { title: 'a broken connection', answer: cut(), type: 'connection', outcome: 'error' };
  yield { title: 'a body that is not JSON', answer: json('{"content": ['), type: 'invalid_response', outcome: 'error' };
  yield { title: 'a timeout', answer: silence(), timeout: 40, type: 'timeout', outcome: 'timeout' };
  yield { title: 'an abort', answer: silence(), abort: () => abortIn(20), type: 'cancelled', outcome: 'cancelled' };
  yield {
    title: "a timer's abort",
    answer: silence(),
    abort: () => timedOutIn(20),
    type: 'timeout',
    outcome: 'timeout',
  };
}

function abortIn(ms) {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), ms);
  return abort.signal;
}

/** Chat completions report a failure also in a choice. */
export const inChoice = (error) => ({ choices: [{ index: 0, error, finish_reason: 'error', message: {} }] });

/**
 * Compares what an integration records for each failure with the table.
 *
 * @param integration `ask({ stream, options: { timeout, signal } })` makes one request and reads its answer; it may reject. `wire` and
 * `registry` belong to it. `inBody` wraps an error into an answer with status 200, and `inEvent` into lists of stream events;
 * without them, these ways are left out. `hides` lists what is recorded instead, because the integration cannot see the cause:
 * the start of titles or an expression, then the error type and the outcome. The first row that applies counts; a row without
 * an outcome says that nothing is hidden. `every: 3` sends a third of the failures
 */
export async function holdsFailures(t, { wire, registry, ask, inBody, inEvent, hides = [], every = 1 }) {
  const wrong = [];
  const all = [...failures({ inBody, inEvent })];
  const used = new Set(all.map(({ title }) => hides.find((row) => applies(row, title))));
  t.deepEqual(
    hides.filter((row) => !used.has(row)),
    [],
    'each row applies to a failure',
  );
  const sent = all.filter((_, index) => index % every === 0);
  for (const { title, answer, stream = false, timeout, abort, type, outcome } of sent) {
    const before = await words(registry);
    wire.answer(answer);
    await ask({ stream, options: { ...(timeout && { timeout }), ...(abort && { signal: abort() }) } }).catch(() => {});
    await new Promise(setImmediate);
    const after = await words(registry);
    const added = [...after].filter(([word, count]) => count !== before.get(word)).map(([word]) => word);
    const expected = wordsOf(...(hiddenWords(hides, title) ?? [type, outcome]));
    if (added.sort().join() !== expected.sort().join()) wrong.push({ title, added, expected });
  }
  t.deepEqual(wrong, []);
  t.deepEqual(
    (await recorded(registry)).filter((line) => line.startsWith('llm_active_requests')),
    [],
  );
}

const applies = ([part], title) => (typeof part === 'string' ? title.startsWith(part) : part.test(title));

function hiddenWords(hides, title) {
  const [, type, outcome] = hides.find((row) => applies(row, title)) ?? [];
  return outcome === undefined ? undefined : [type, outcome];
}

const wordsOf = (type, outcome) => [...(type ? [`error_type="${type}"`] : []), `status="${outcome}"`];

/** How often each error type and each outcome was recorded. */
async function words(registry) {
  const counts = new Map();
  for (const line of await recorded(registry)) {
    const [, word] = /^llm_(?:requests|errors)_total\{.*((?:status|error_type)="\w+")\} /.exec(line) ?? [];
    if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + Number(line.slice(line.lastIndexOf(' '))));
  }
  return counts;
}
