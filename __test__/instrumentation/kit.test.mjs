// Tests the parts that all instrumentations use: methods that are wrapped and restored, iterations that are watched,
// providers by address. They are read from the build, because they are not public.

import { createRequire } from 'node:module';
import test from 'ava';
import fc from 'fast-check';

const require = createRequire(import.meta.url);
const { Patches } = require('../../dist/instrumentation/patches.js');
const { measureCall } = require('../../dist/instrumentation/measure.js');
const { observeIteration } = require('../../dist/instrumentation/iteration.js');
const { parseFinishReason } = require('../../dist/instrumentation/finish-reason.js');
const { findProvider, normalizeProviderName } = require('../../dist/instrumentation/provider.js');

class Service {
  base = 1;

  add(amount, more = 0) {
    return this.base + amount + more;
  }
}

test('an inherited method is wrapped only on the object, and restored afterwards', (t) => {
  const service = new Service();
  const patches = new Patches({});
  const seen = [];
  const around = (original, args, self) => {
    seen.push([args, self]);
    return original();
  };
  t.true(patches.wrap(service, 'add', around));
  t.is(service.add(2, 3), 6);
  t.deepEqual(seen, [[[2, 3], service]]);
  t.deepEqual([service.add.name, service.add.length, Object.keys(service)], ['add', 1, ['base']]);
  t.is(new Service().add(2), 3);
  t.is(seen.length, 1);
  patches.uninstall();
  patches.uninstall();
  t.is(service.add, Service.prototype.add);
  t.deepEqual(Reflect.ownKeys(service), ['base']);
});

test('an own method gets its descriptor back', (t) => {
  const service = Object.defineProperty({}, 'go', { value: () => 1, enumerable: true, configurable: true });
  const before = Object.getOwnPropertyDescriptor(service, 'go');
  const patches = new Patches({});
  patches.wrap(service, 'go', (original) => original() + 1);
  t.is(service.go(), 2);
  patches.uninstall();
  t.deepEqual(Object.getOwnPropertyDescriptor(service, 'go'), before);
});

test('a method that cannot be wrapped is not changed', (t) => {
  const service = new Service();
  const patches = new Patches({});
  const plain = (original) => original();
  t.true(patches.wrap(service, 'add', plain));
  for (const target of [undefined, null, 1, 'text', Object.freeze({ add() {} }), {}, { add: 5 }]) {
    t.false(patches.wrap(target, 'add', plain), String(target));
  }
  t.is(patches.size, 1);
});

test('if other code wrapped the method later, our wrapper stays in the chain and does nothing', (t) => {
  const service = new Service();
  const patches = new Patches({});
  let calls = 0;
  patches.wrap(service, 'add', (original) => {
    calls++;
    return original();
  });
  const ours = service.add;
  service.add = function (...args) {
    return ours.apply(this, args) * 10;
  };
  t.is(service.add(1), 20);
  patches.uninstall();
  t.is(service.add(1), 20);
  t.is(calls, 1);
});

/** Installs and removes wrappers in any order, and compares the calls that each owner saw with a list of what is installed. */
test('each owner sees a call once, by the outermost of its wrappers, until its last one is removed', (t) => {
  const owners = [{ name: 'a' }, { name: 'b' }];
  const step = fc.record({
    remove: fc.boolean(),
    owner: fc.nat(1),
    place: fc.constantFrom('object', 'class'),
    at: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      class Local extends Service {
        add(...args) {
          return super.add(...args);
        }
      }
      const { add } = Local.prototype;
      const object = new Local();
      const seen = [];
      const installed = [];
      for (const [number, { remove, owner, place, at }] of steps.entries()) {
        if (remove) {
          const [removed] = installed.splice(at % Math.max(1, installed.length), 1);
          removed?.patches.uninstall();
        } else {
          const patches = new Patches(owners[owner]);
          const target = place === 'object' ? object : Local.prototype;
          patches.wrap(target, 'add', (original) => {
            seen.push(number);
            return original();
          });
          installed.push({ patches, owner, place, number });
        }
        seen.length = 0;
        t.is(object.add(1, 2), 4);
        const outermost = [
          ...installed.filter((one) => one.place === 'class'),
          ...installed.filter((one) => one.place === 'object'),
        ];
        const expected = [0, 1].map((owner) => outermost.findLast((one) => one.owner === owner)?.number);
        t.deepEqual([...seen].sort(), expected.filter((one) => one !== undefined).sort());
      }
      for (const { patches } of installed) patches.uninstall();
      t.is(Local.prototype.add, add);
      t.deepEqual(Reflect.ownKeys(object), ['base']);
    }),
  );
});

test('a call within a measured one is measured if it is of another object or method', (t) => {
  class Chain extends Service {
    more(next, amount) {
      return next === undefined ? this.add(amount) : next.more(undefined, amount);
    }
  }
  const seen = [];
  const patches = new Patches({});
  for (const name of ['more', 'add']) {
    patches.wrap(Chain.prototype, name, (original, _args, self) => {
      seen.push([name, self.name]);
      return original();
    });
  }
  const [one, two] = ['one', 'two'].map((name) => Object.assign(new Chain(), { name }));
  t.is(one.more(two, 5), 6);
  t.deepEqual(seen, [
    ['more', 'one'],
    ['more', 'two'],
    ['add', 'two'],
  ]);
});

test('wrappers of another copy of this package share the method and its restoration', (t) => {
  const path = require.resolve('../../dist/instrumentation/patches.js');
  delete require.cache[path];
  const { Patches: Other } = require(path);
  t.not(Other, Patches);
  const object = { go: () => 1 };
  const { go } = object;
  const owner = {};
  let calls = 0;
  const counting = (original) => {
    calls++;
    return original();
  };
  const all = [new Patches(owner), new Other(owner), new Other({})];
  for (const patches of all) patches.wrap(object, 'go', counting);
  t.is(object.go(), 1);
  t.is(calls, 2);
  all[0].uninstall();
  t.is(object.go(), 1);
  t.is(calls, 4);
  all[1].uninstall();
  all[2].uninstall();
  t.is(object.go, go);
});

test('the call continues when measuring throws', (t) => {
  const bad = () => {
    throw new Error('of measuring');
  };
  const error = new Error('of the user');
  const throws = () => {
    throw error;
  };
  const warned = [];
  const onWarning = (warning) => warned.push(warning.message);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  t.is(
    measureCall(() => 1, bad),
    1,
  );
  t.is(
    measureCall(
      () => 1,
      () => ({ returned: bad, threw: bad }),
    ),
    1,
  );
  const thrown = t.throws(() => measureCall(throws, () => ({ returned: bad, threw: bad })));
  t.is(thrown, error);
  t.is(
    measureCall(
      () => 1,
      () => undefined,
    ),
    1,
  );
  t.is(
    measureCall(
      () => 1,
      () => ({ returned: () => undefined }),
    ),
    undefined,
  );
});

/** The events of an iteration, in order. */
function witness(events) {
  return {
    value: (value) => events.push(['value', value]),
    done: () => events.push(['done']),
    failed: (error) => events.push(['failed', error]),
    left: () => events.push(['left']),
  };
}

async function* source(values, { error, cleanup } = {}) {
  try {
    yield* values;
    if (error !== undefined) throw error;
  } finally {
    cleanup?.();
  }
}

test('a reader gets the source’s values, can leave at any time, and the end is reported once', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer(), { maxLength: 8 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 9 }),
      async (values, fails, takes) => {
        const error = fails ? new Error('the source’s') : undefined;
        const events = [];
        let cleaned = 0;
        const iterator = observeIteration(source(values, { error, cleanup: () => cleaned++ }), witness(events));
        const got = [];
        let caught;
        try {
          for await (const value of iterator) {
            got.push(value);
            if (got.length === takes) break;
          }
        } catch (thrown) {
          caught = thrown;
        }
        const leaves = takes > 0 && takes <= values.length;
        t.deepEqual(got, leaves ? values.slice(0, takes) : values);
        t.is(caught, leaves ? undefined : error);
        t.is(cleaned, 1);
        const end = leaves ? ['left'] : fails ? ['failed', error] : ['done'];
        t.deepEqual(events, [...got.map((value) => ['value', value]), end]);
      },
    ),
  );
});

test('the observer is called before the reader continues, and its errors change nothing', async (t) => {
  const order = [];
  const iterator = observeIteration(source([1, 2]), {
    ...witness([]),
    value(value) {
      order.push(`told ${value}`);
      throw new Error('the observer’s');
    },
  });
  for await (const value of iterator) order.push(`read ${value}`);
  t.deepEqual(order, ['told 1', 'read 1', 'told 2', 'read 2']);
});

test('a source without return() has an iterator without return()', (t) => {
  const iterator = observeIteration({ next: async () => ({ done: true, value: undefined }) }, witness([]));
  t.deepEqual([iterator.return, iterator.throw], [undefined, undefined]);
});

test('providers by address', (t) => {
  const cases = [
    ['https://api.openai.com/v1', 'openai'],
    ['https://eu.api.openai.com/v1', 'openai'],
    ['https://acme.openai.azure.com/openai', 'azure'],
    ['https://API.ANTHROPIC.COM', 'anthropic'],
    ['https://generativelanguage.googleapis.com/', 'google'],
    ['https://us-central1-aiplatform.googleapis.com/', 'vertex'],
    ['https://bedrock-runtime.us-east-1.amazonaws.com', 'bedrock'],
    ['https://openrouter.ai/api/v1', 'openrouter'],
    ['http://localhost:11434/v1', 'ollama'],
    ['http://localhost:11435/v1', 'other'],
    ['https://notopenai.com/v1', 'other'],
    ['https://openai.com.evil.example/v1', 'other'],
    ['no address', 'other'],
    [undefined, 'other'],
    [{}, 'other'],
  ];
  for (const [address, provider] of cases) t.is(findProvider(address), provider, String(address));
  t.is(findProvider('https://llm.example.com/v1', { 'LLM.example.com': 'vllm' }), 'vllm');
  t.is(findProvider('https://api.openai.com/v1', { 'api.openai.com': 'gateway' }), 'gateway');
});

test('providers by their names in frameworks', (t) => {
  for (const [given, provider] of [
    ['openai.responses', 'openai'],
    ['azure-openai.chat', 'azure'],
    ['google.generative-ai', 'google'],
    ['google_genai', 'google'],
    ['google.vertex.chat', 'vertex'],
    ['google-vertex', 'vertex'],
    ['vertex.anthropic.messages', 'vertex'],
    ['amazon-bedrock', 'bedrock'],
    ['amazon_bedrock', 'bedrock'],
    ['togetherai.chat', 'together'],
    ['my-gateway.chat', 'my-gateway'],
    ['constructor', 'constructor'],
    ['', ''],
  ]) {
    t.is(normalizeProviderName(given), provider, given);
  }
});

test('finish reasons of every provider', (t) => {
  for (const [reason, words] of Object.entries({
    stop: ['stop', 'STOP', 'end_turn', 'stop_sequence', 'completed'],
    length: ['length', 'max_tokens', 'MAX_TOKENS', 'max_output_tokens', 'CONTINUATION'],
    tool_calls: ['tool_calls', 'tool-calls', 'tool_use', 'function_call'],
    content_filter: ['content_filter', 'content-filter', 'SAFETY', 'SPII', 'IMAGE_SAFETY'],
    refusal: ['refusal'],
    error: ['error', 'failed', 'MALFORMED_FUNCTION_CALL', 'TOO_MANY_TOOL_CALLS'],
    other: ['pause_turn', 'constructor', '__proto__'],
  })) {
    for (const word of words) t.is(parseFinishReason(word), reason, word);
  }
  for (const none of [undefined, null, '', 5, {}]) t.is(parseFinishReason(none), undefined);
});
