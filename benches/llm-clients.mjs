// Opens an SDK for llm.mjs: a client whose `fetch` answers at once, alone or with a library that measures it. Each contender
// has its own copy of the SDK, so they share neither wrapped methods nor optimised code.

import { createRequire } from 'node:module';

export const require = createRequire(import.meta.url);

/** Chunks of a stream. */
export const CHUNKS = 200;

/** A `fetch` that answers at once: a stream if the request asks for one. */
export function answerWith({ whole, headers, events }) {
  const body = JSON.stringify(whole);
  const stream = Buffer.from(events.join(''));
  return async (_url, { body: asked }) =>
    asked.includes('"stream":true')
      ? new Response(stream, { headers: { 'content-type': 'text/event-stream' } })
      : new Response(body, { headers: { 'content-type': 'application/json', ...headers } });
}

/** Loads a new copy of an SDK. */
function freshSdk(name) {
  const path = new RegExp(`[\\\\/]node_modules[\\\\/]${name.replace('/', '[\\\\/]')}[\\\\/]`);
  for (const module of Object.keys(require.cache)) if (path.test(module)) delete require.cache[module];
  return require(name);
}

/** Measures with our library; returns a function that reads how many requests were counted. */
export function measureWithOurs(entry, instrument) {
  const { LlmMetricsCollector, Registry } = require('../dist/entry/index.js');
  const registry = new Registry();
  instrument(require(`../dist/entry/${entry}.js`), { collector: new LlmMetricsCollector({ registry }) });
  return async () => {
    const samples = (await registry.metrics()).matchAll(/llm_requests_total\{.*status="success"\} (\d+)/g);
    return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
  };
}

/**
 * Opens a contender: `call()` makes one request, `stream()` reads one stream; `verify()` throws if some were not counted.
 *
 * @param sdk `module`, `measuring` by contender, `connect(module)`, and `ask(client, more)`, which makes a request
 */
export function openClient({ module: name, measuring, connect, ask }, id) {
  const module = freshSdk(name);
  const counted = measuring[id](module);
  const client = connect(module);
  let made = 0;
  return {
    id,
    call() {
      made++;
      return ask(client, {});
    },
    async stream() {
      made++;
      let chunks = 0;
      for await (const _ of await ask(client, { stream: true })) chunks++;
      if (chunks !== CHUNKS) throw new Error(`Expected ${CHUNKS} chunks but received ${chunks}`);
    },
    async verify() {
      const found = await counted?.();
      if (counted !== undefined && found !== made) throw new Error(`${id} counted ${found} of ${made} requests`);
    },
  };
}
