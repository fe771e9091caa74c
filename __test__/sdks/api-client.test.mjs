// Tests the common behaviour of OpenAI's and Anthropic's SDKs, which are built on the same API client: how they are instrumented
// and restored.

import { createRequire } from 'node:module';
import Anthropic, { BaseAnthropic } from '@anthropic-ai/sdk';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import test from 'ava';
import OpenAI from 'openai';
import { chunksOf, outcome, short } from './support/api-client.mjs';
import { collectors } from './support/recorded.mjs';
import { abortedIn, timedOutIn } from './support/signals.mjs';

const require = createRequire(import.meta.url);
const answering = (body) => async () => Response.json(body);
const aborting = (signal, react) =>
  signal.addEventListener('abort', () => react(new DOMException('aborted', 'AbortError')));
/** A server that never answers. */
const waiting = (_url, { signal }) => new Promise((_, reject) => aborting(signal, reject));
/** A server that starts an answer and does not end it. */
const beginning = async (_url, { signal }) =>
  new Response(new ReadableStream({ start: (stream) => aborting(signal, (error) => stream.error(error)) }));

const ASKED = { model: 'm', max_tokens: 9, messages: [] };

const SDKS = {
  openai: {
    instrument: instrumentOpenAI,
    Class: OpenAI,
    connect: (Class = OpenAI) =>
      new Class({ apiKey: 'k', fetch: answering({ choices: [], usage: { prompt_tokens: 1 } }) }),
    ask: (client, more, options) => client.chat.completions.create({ ...ASKED, ...more }, options),
    prototypes: [OpenAI.prototype],
    changed: { chat: { completions: { ask: () => 1 } } },
    path: '/chat/completions',
    sdk: 'openai',
  },
  anthropic: {
    instrument: instrumentAnthropic,
    Class: Anthropic,
    connect: (Class = Anthropic) =>
      new Class({ apiKey: 'k', fetch: answering({ content: [], usage: { input_tokens: 1 } }) }),
    ask: (client, more, options) => client.messages.create({ ...ASKED, ...more }, options),
    prototypes: [Anthropic.prototype, BaseAnthropic.prototype],
    changed: { messages: { ask: () => 1 } },
    path: '/v1/messages',
    sdk: '@anthropic-ai/sdk',
  },
};

const counted = async (registry) => (await short(registry)).filter((line) => line.startsWith('llm_requests_total'));
const requests = (provider, count) => [
  `llm_requests_total{model="m",provider="${provider}",operation="chat",status="success"} ${count}`,
];
/** The warnings from now on. */
function heard(t) {
  const said = [];
  const hear = ({ message }) => said.push(message);
  process.on('warning', hear);
  t.teardown(() => process.off('warning', hear));
  return said;
}

const propertiesOf = (holders) => holders.map((holder) => Object.getOwnPropertyDescriptors(holder));

for (const [name, { instrument, Class, connect, ask, prototypes, changed, path, sdk }] of Object.entries(SDKS)) {
  test.serial(`${name}: a client is restored when its instrumentation is removed`, async (t) => {
    const { registry, llm } = collectors();
    const client = connect();
    const before = propertiesOf([client]);
    const uninstall = instrument(client, { collector: llm });
    t.notDeepEqual(propertiesOf([client]), before);
    await ask(client);
    uninstall();
    uninstall();
    t.deepEqual(propertiesOf([client]), before);
    await ask(client);
    t.deepEqual(await counted(registry), requests(name, 1));
  });

  test.serial(`${name}: a class is instrumented with all its clients, and restored afterwards`, async (t) => {
    const { registry, llm } = collectors();
    const earlier = connect();
    const before = propertiesOf([Class, ...prototypes]);
    const uninstall = instrument(Class, { collector: llm });
    await ask(earlier);
    await ask(connect());
    await ask(connect().withOptions({ timeout: 1_000 }));
    uninstall();
    t.deepEqual(propertiesOf([Class, ...prototypes]), before);
    await ask(connect());
    t.deepEqual(await counted(registry), requests(name, 3));
  });

  test.serial(`${name}: the result of require() is instrumented like the class`, async (t) => {
    const { registry, llm } = collectors();
    const Required = require(sdk);
    const uninstall = instrument(Required, { collector: llm });
    await ask(connect(Required));
    uninstall();
    await ask(connect(Required));
    t.deepEqual(await counted(registry), requests(name, 1));
  });

  test.serial(`${name}: requests count once if instrumented twice, in any order`, async (t) => {
    for (const order of [
      (client) => [client, client],
      (client) => [Class, Class, client],
      (client) => [client, Class],
    ]) {
      const { registry, llm } = collectors();
      const client = connect();
      const uninstalls = order(client).map((target) => instrument(target, { collector: llm }));
      await ask(client);
      t.deepEqual(await counted(registry), requests(name, 1));
      for (const uninstall of uninstalls) uninstall();
      await ask(client);
      t.deepEqual(await counted(registry), requests(name, 1));
    }
  });

  test.serial(`${name}: clones of a client are instrumented as long as it is`, async (t) => {
    const { registry, llm } = collectors();
    const client = connect();
    const uninstall = instrument(client, { collector: llm });
    const clone = client.withOptions({ timeout: 1_000 });
    await ask(clone);
    await ask(clone.withOptions({ maxRetries: 1 }));
    t.deepEqual(await counted(registry), requests(name, 2));
    uninstall();
    await ask(clone);
    t.deepEqual(await counted(registry), requests(name, 2));
  });

  test.serial(`${name}: an unreadable answer ends its request`, async (t) => {
    const { registry, llm } = collectors();
    const client = new Class({ apiKey: 'k', fetch: answering(null) });
    instrument(client, { collector: llm });
    t.is(await ask(client), null);
    await new Promise(setImmediate);
    t.deepEqual(await counted(registry), requests(name, 1));
    t.false((await registry.metrics()).includes(`llm_active_requests{model="m",provider="${name}"} 1`));
  });

  test.serial(`${name}: an abort counts as cancelled for every reason, unless a timer caused it`, async (t) => {
    for (const stream of [false, true]) {
      for (const [signal, type] of [
        [abortedIn(50), 'cancelled'],
        [abortedIn(50, 'rate_limit'), 'cancelled'],
        [abortedIn(50, new Error('gone')), 'cancelled'],
        [timedOutIn(50), 'timeout'],
      ]) {
        const { registry, llm } = collectors();
        const client = new Class({ apiKey: 'k', maxRetries: 0, fetch: stream ? beginning : waiting });
        instrument(client, { collector: llm });
        await outcome(async () => chunksOf(await ask(client, { stream }, { signal })));
        t.deepEqual(await counted(registry), [
          `llm_requests_total{model="m",provider="${name}",operation="chat",status="${type}"} 1`,
        ]);
      }
    }
  });

  test.serial(`${name}: a frozen client works, and a warning says that it is not measured`, async (t) => {
    const { registry, llm } = collectors();
    const said = heard(t);
    const client = connect();
    Object.freeze(client);
    instrument(client, { collector: llm })();
    await ask(client);
    t.deepEqual(await counted(registry), []);
    await new Promise(setImmediate);
    t.deepEqual(said, [`Expected ${sdk} to have post() where it can be replaced; its requests are not measured`]);
  });

  test.serial(`${name}: invalid options throw`, (t) => {
    for (const [target, options, message] of [
      [undefined, {}, /^Expected a client of .* or its class for clientOrClass but received undefined/],
      [connect(), null, /^Expected an object for options but received null/],
      [connect(), { collector: {} }, /^Expected an LlmMetricsCollector for collector but received/],
      [connect(), { provider: 1 }, /^Expected a name for provider but received/],
    ]) {
      t.throws(() => instrument(target, options), { code: 'INVALID_CONFIG', message });
    }
  });

  test.serial(`${name}: an SDK with an unknown shape is not changed, with a warning`, async (t) => {
    const { llm } = collectors();
    const said = heard(t);
    const post = () => 'an answer';
    const foreign = { post, get() {}, prepareRequest() {}, fetchWithTimeout() {} };
    for (let twice = 0; twice < 2; twice++) {
      instrument(changed, { collector: llm })();
      const uninstall = instrument(foreign, { collector: llm });
      t.is(foreign.post(path, { body: {} }), 'an answer');
      uninstall();
    }
    t.is(foreign.post, post);
    await new Promise(setImmediate);
    t.deepEqual(said, [
      `Expected ${sdk} to have post(); its requests are not measured`,
      `Expected ${sdk} to return its promise from post(); its requests are not measured`,
    ]);
  });
}

test.serial('openai: an invalid includeUsage throws', (t) => {
  t.throws(() => instrumentOpenAI(OpenAI, { includeUsage: 'yes' }), { code: 'INVALID_CONFIG' });
});

test.serial('openai: a client whose resources took its methods when they were made is told by a warning', async (t) => {
  const { llm } = collectors();
  const said = heard(t);
  // As in openai 4.0 to 4.19.
  const post = () => {};
  instrumentOpenAI({ post, get: post, fetchWithTimeout: post, chat: { post } }, { collector: llm })();
  await new Promise(setImmediate);
  t.deepEqual(said, [
    "Expected resources of openai to call the client's post(); pass the class before clients are made",
  ]);
});

test.serial('openai: a client that refuses to work with a replaced method keeps it', async (t) => {
  const { registry, llm } = collectors();
  const said = heard(t);
  const client = new OpenAI({ apiKey: 'k', fetch: answering({ choices: [] }) });
  // A client with an X.509 identity is known by the methods of that identity.
  client._workloadIdentityAuth = { headerSnapshots() {}, getToken: () => 't' };
  const { fetchWithAuth } = client;
  const uninstall = instrumentOpenAI(client, { collector: llm });
  t.is(client.fetchWithAuth, fetchWithAuth);
  await SDKS.openai.ask(client);
  t.deepEqual(await counted(registry), requests('openai', 1));
  uninstall();
  const ofClass = instrumentOpenAI(OpenAI, { collector: llm });
  t.is(client.fetchWithAuth, OpenAI.prototype.fetchWithAuth);
  class Own extends OpenAI {}
  const ofSubclass = instrumentOpenAI(Own, { collector: llm });
  t.is(Own.prototype.fetchWithAuth, OpenAI.prototype.fetchWithAuth);
  ofSubclass();
  ofClass();
  await new Promise(setImmediate);
  t.deepEqual(said, [
    'A client of openai with an X.509 identity is instrumented with its retries and rate limits only by its class',
  ]);
});
