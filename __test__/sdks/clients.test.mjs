// Tests which clients an instrumentation measures: clients for other platforms, subclasses, clones, other copies and versions
// of an SDK, and how several instrumentations of one client or class share its requests.

import { createRequire } from 'node:module';
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import Anthropic, { BaseAnthropic } from '@anthropic-ai/sdk';
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
import { GoogleGenAI } from '@google/genai';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import Anthropic0 from 'anthropic-0';
import test from 'ava';
import OpenAI, { AzureOpenAI } from 'openai';
import OpenAI6 from 'openai-6';
import { chunksOf, short } from './support/api-client.mjs';
import { chat, chatStream, response } from './support/chat-answers.mjs';
import { message, messageStream } from './support/messages.mjs';
import { collectors, recorded } from './support/recorded.mjs';
import { json, WireServer } from './support/wire-server.mjs';

const require = createRequire(import.meta.url);
const { AnthropicBedrock: RequiredBedrock } = require('@anthropic-ai/bedrock-sdk');

const CONTENT = {
  candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 5 },
};

const googleAuth = {
  getClient: async () => ({
    projectId: 'project',
    getRequestHeaders: async () => new Headers({ authorization: 'Bearer t' }),
  }),
};
const settings = { maxRetries: 0, logLevel: 'off' };
const ANTHROPIC_ASKED = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] };
const OPENAI_ASKED = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }] };

/** Each kind of client: how it is made and asked, and what its provider answers. */
const KINDS = {
  Anthropic: {
    instrument: instrumentAnthropic,
    Class: Anthropic,
    make: (baseURL, Class = Anthropic, more = {}) => new Class({ apiKey: 'k', baseURL, ...settings, ...more }),
    provider: 'other',
  },
  AnthropicBedrock: {
    instrument: instrumentAnthropic,
    Class: AnthropicBedrock,
    make: (baseURL, Class = AnthropicBedrock, more = {}) =>
      new Class({ awsAccessKey: 'a', awsSecretKey: 's', awsRegion: 'us-east-1', baseURL, ...settings, ...more }),
    provider: 'bedrock',
  },
  AnthropicVertex: {
    instrument: instrumentAnthropic,
    Class: AnthropicVertex,
    make: (baseURL, Class = AnthropicVertex, more = {}) =>
      new Class({ region: 'europe-west1', projectId: 'project', googleAuth, baseURL, ...settings, ...more }),
    provider: 'vertex',
  },
  OpenAI: {
    instrument: instrumentOpenAI,
    Class: OpenAI,
    make: (baseURL, Class = OpenAI, more = {}) => new Class({ apiKey: 'k', baseURL, ...settings, ...more }),
    provider: 'other',
  },
  AzureOpenAI: {
    instrument: instrumentOpenAI,
    Class: AzureOpenAI,
    make: (endpoint, Class = AzureOpenAI, more = {}) =>
      new Class({ apiKey: 'k', endpoint, apiVersion: '2026-01-01', deployment: 'mine', ...settings, ...more }),
    provider: 'azure',
  },
};
for (const kind of Object.values(KINDS)) {
  const isAnthropic = kind.instrument === instrumentAnthropic;
  kind.ask = (client, more) =>
    isAnthropic
      ? client.messages.create({ ...ANTHROPIC_ASKED, ...more })
      : client.chat.completions.create({ ...OPENAI_ASKED, ...more });
  kind.answer = isAnthropic ? json(message()) : chat('hi', { usage: { prompt_tokens: 20, completion_tokens: 10 } });
  kind.stream = isAnthropic
    ? messageStream()
    : chatStream(['hi'], { usage: { prompt_tokens: 20, completion_tokens: 10 } });
  kind.model = isAnthropic ? 'm' : 'gpt-4o-mini';
}

const requests = async (registry) => (await recorded(registry)).filter((line) => line.startsWith('llm_requests_total'));
const count = async (registry) =>
  (await requests(registry)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);

async function answering(t, kind) {
  const wire = await WireServer.start(t);
  wire.always(kind.answer);
  return wire;
}

for (const [name, kind] of Object.entries(KINDS)) {
  const { instrument, Class, make, ask, provider, model } = kind;

  for (const [what, pick] of [
    ['a client', (client) => client],
    ['its class', () => Class],
  ]) {
    test.serial(`${name}: whole answers, streams, retries and limits are measured by ${what}`, async (t) => {
      const { registry, llm } = collectors();
      const wire = await WireServer.start(t);
      const client = make(wire.url, Class, { maxRetries: 1 });
      const uninstall = instrument(pick(client), { collector: llm });
      t.teardown(uninstall);
      const limits = { 'anthropic-ratelimit-tokens-remaining': '7', 'x-ratelimit-remaining-tokens': '7' };
      wire.answer(json({ error: {} }, { status: 529, headers: { 'retry-after-ms': '1', ...limits } }), kind.answer);
      await ask(client);
      wire.answer(kind.stream);
      const chunks = await chunksOf(await ask(client, { stream: true }));
      t.true(chunks.length > 1);
      const lines = await short(registry);
      const labels = `model="${model}",provider="${provider}"`;
      for (const expected of [
        `llm_requests_total{${labels},operation="chat",status="success"} 2`,
        `llm_retries_total{${labels},error_type="overloaded"} 1`,
        `llm_ratelimit_remaining{${labels},resource="tokens"} 7`,
        `llm_streaming_time_to_first_token_seconds_count{${labels}} 1`,
        `llm_finish_reasons_total{${labels},reason="stop"} 2`,
        `llm_tokens_total{${labels},type="output"} 20`,
      ]) {
        t.true(lines.includes(expected), `${expected}\n${lines.join('\n')}`);
      }
      uninstall();
      wire.answer(kind.answer);
      await ask(client);
      t.is(await count(registry), 2);
    });
  }

  test.serial(`${name}: a class means its clients and those of its subclasses, and no other`, async (t) => {
    const wire = await answering(t, kind);
    class Own extends Class {}
    const { registry, llm } = collectors();
    const uninstall = instrument(Own, { collector: llm });
    await ask(make(wire.url));
    t.is(await count(registry), 0);
    await ask(make(wire.url, Own));
    await ask(make(wire.url, class extends Own {}));
    uninstall();
    const all = instrument(Class, { collector: llm });
    await ask(make(wire.url, Own));
    await ask(make(wire.url));
    all();
    await ask(make(wire.url));
    t.is(await count(registry), 4);
  });

  test.serial(`${name}: a clone and its parent, each instrumented, count a request once`, async (t) => {
    const wire = await answering(t, kind);
    const { registry, llm } = collectors();
    const client = make(wire.url);
    const ofParent = instrument(client, { collector: llm });
    const clone = client.withOptions({ timeout: 9_000 });
    const ofClone = instrument(clone, { collector: llm });
    const ofClass = instrument(Class, { collector: llm });
    await ask(clone);
    await ask(clone.withOptions({ timeout: 8_000 }));
    t.is(await count(registry), 2);
    ofParent();
    ofClass();
    await ask(clone);
    t.is(await count(registry), 3);
    ofClone();
    await ask(clone);
    t.is(await count(registry), 3);
  });

  test.serial(`${name}: installed twice, a request counts once, until both are uninstalled in any order`, async (t) => {
    const wire = await answering(t, kind);
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      for (const target of ['client', 'class', 'both']) {
        const { registry, llm } = collectors();
        const client = make(wire.url);
        const before = Object.getOwnPropertyDescriptors(client);
        const [one, two] = { client: [client, client], class: [Class, Class], both: [client, Class] }[target];
        const uninstalls = [instrument(one, { collector: llm }), instrument(two, { collector: llm })];
        await ask(client);
        t.is(await count(registry), 1, target);
        uninstalls[order[0]]();
        await ask(client);
        t.is(await count(registry), 2, target);
        uninstalls[order[1]]();
        await ask(client);
        t.is(await count(registry), 2, target);
        t.deepEqual(Object.getOwnPropertyDescriptors(client), before);
      }
    }
  });

  test.serial(`${name}: a second collector measures too, on the client, its class or both`, async (t) => {
    const wire = await answering(t, kind);
    for (const target of ['client', 'class', 'client and class', 'class and client']) {
      const first = collectors();
      const second = collectors();
      const client = make(wire.url);
      const one = target.startsWith('client') ? client : Class;
      const two = target.endsWith('client') ? client : Class;
      const uninstallOne = instrument(one, { collector: first.llm });
      const uninstallTwo = instrument(two, { collector: second.llm, provider: 'mine' });
      await ask(client);
      t.deepEqual([await count(first.registry), await count(second.registry)], [1, 1], target);
      const [line] = await requests(second.registry);
      t.true(line.includes('provider="mine"'));
      uninstallOne();
      await ask(client);
      t.deepEqual([await count(first.registry), await count(second.registry)], [1, 2], target);
      uninstallTwo();
      await ask(client);
      t.deepEqual([await count(first.registry), await count(second.registry)], [1, 2], target);
    }
  });

  test.serial(`${name}: the options of the client win over those of its class`, async (t) => {
    const wire = await answering(t, kind);
    const { registry, llm } = collectors();
    const client = make(wire.url);
    const uninstalls = [
      instrument(client, { collector: llm, provider: 'client' }),
      instrument(Class, { collector: llm, provider: 'class' }),
    ];
    t.teardown(() => uninstalls.map((uninstall) => uninstall()));
    await ask(client);
    await ask(make(wire.url));
    t.deepEqual(
      (await requests(registry)).map((line) => /provider="(\w+)"/.exec(line)[1]),
      ['client', 'class'],
    );
  });
}

test.serial("Anthropic's main class and its base class mean the clients for all platforms", async (t) => {
  const wire = await WireServer.start(t);
  wire.always(json(message()));
  for (const Class of [Anthropic, BaseAnthropic]) {
    const { registry, llm } = collectors();
    const uninstall = instrumentAnthropic(Class, { collector: llm });
    for (const { make, ask } of [KINDS.Anthropic, KINDS.AnthropicBedrock, KINDS.AnthropicVertex]) {
      await ask(make(wire.url));
    }
    uninstall();
    t.is(await count(registry), 3);
  }
});

test.serial('a real address names the provider before the kind of client does', async (t) => {
  const { registry, llm } = collectors();
  const fetch = async () => Response.json(message());
  for (const baseURL of ['https://bedrock-runtime.eu-west-1.amazonaws.com', 'https://api.anthropic.com']) {
    const client = KINDS.AnthropicBedrock.make(baseURL, AnthropicBedrock, { fetch });
    instrumentAnthropic(client, { collector: llm });
    await KINDS.AnthropicBedrock.ask(client);
  }
  t.deepEqual(
    (await requests(registry)).map((line) => /provider="(\w+)"/.exec(line)[1]),
    ['bedrock', 'anthropic'],
  );
});

/** Copies of an SDK that one process may have: as an ES module and as CommonJS, and an older version of it. */
for (const [name, instrument, kind, copies] of [
  ['openai', instrumentOpenAI, KINDS.OpenAI, [OpenAI, require('openai').OpenAI, OpenAI6]],
  ['anthropic', instrumentAnthropic, KINDS.Anthropic, [Anthropic, require('@anthropic-ai/sdk').Anthropic, Anthropic0]],
  ['bedrock', instrumentAnthropic, KINDS.AnthropicBedrock, [AnthropicBedrock, RequiredBedrock]],
]) {
  test.serial(`${name}: each copy of a class is measured once it is instrumented, and each request once`, async (t) => {
    const wire = await answering(t, kind);
    const { registry, llm } = collectors();
    const ask = () => Promise.all(copies.map((Class) => kind.ask(kind.make(wire.url, Class))));
    const uninstalls = [];
    for (const [index, Class] of copies.entries()) {
      uninstalls.push(instrument(Class, { collector: llm }));
      const before = await count(registry);
      await ask();
      t.is((await count(registry)) - before, index + 1);
    }
    for (const uninstall of uninstalls) uninstall();
    const before = await count(registry);
    await ask();
    t.is(await count(registry), before);
  });
}

test('google-genai: a second collector measures too, and each can be uninstalled', async (t) => {
  const wire = await WireServer.start(t);
  const retried = json({ error: {} }, { status: 503 });
  const httpOptions = { baseUrl: wire.url, retryOptions: { attempts: 2, initialDelay: '0.001s' } };
  const client = new GoogleGenAI({ apiKey: 'k', httpOptions });
  const before = Object.getOwnPropertyDescriptors(client.models);
  const ask = () => client.models.generateContent({ model: 'gemini-2.5-flash', contents: 'hi' });
  const [first, second] = [collectors(), collectors()];
  const uninstalls = [
    instrumentGoogleGenAI(client, { collector: first.llm }),
    instrumentGoogleGenAI(client, { collector: second.llm }),
    instrumentGoogleGenAI(client, { collector: second.llm }),
  ];
  const counts = async () => [await count(first.registry), await count(second.registry)];
  wire.answer(retried, json(CONTENT));
  await ask();
  t.deepEqual(await counts(), [1, 1]);
  for (const { registry } of [first, second]) {
    const retries = (await recorded(registry)).filter((line) => line.startsWith('llm_retries_total'));
    t.deepEqual(retries, ['llm_retries_total{model="gemini-2.5-flash",provider="google",error_type="overloaded"} 1']);
  }
  wire.always(json(CONTENT));
  uninstalls[1]();
  await ask();
  t.deepEqual(await counts(), [2, 2]);
  uninstalls[0]();
  await ask();
  t.deepEqual(await counts(), [2, 3]);
  uninstalls[2]();
  await ask();
  t.deepEqual(await counts(), [2, 3]);
  t.deepEqual(Object.getOwnPropertyDescriptors(client.models), before);
});

test.serial('a request that the program posts itself is measured like that of the SDK', async (t) => {
  const wire = await WireServer.start(t);
  const { registry, llm } = collectors();
  const client = KINDS.OpenAI.make(wire.url);
  instrumentOpenAI(client, { collector: llm });
  wire.answer(chat('hi'), response('hi'), json({ data: [] }));
  await client.post('/gateway/v1/chat/completions?trace=1', { body: OPENAI_ASKED });
  await client.post('/responses', { body: { model: 'gpt-4o-mini', input: 'hi' } });
  await client.post('/moderations', { body: { model: 'omni-moderation', input: 'hi' } });
  t.is(await count(registry), 2);
});
