// Tests errors: the arguments that constructors reject, and the common parts of all errors of this library.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as client from '@llm-devops/prometheus-metrics';
import {
  ConfigurationError,
  Counter,
  createMetricsHandler,
  EndpointError,
  Gauge,
  Histogram,
  LabelError,
  MetricsError,
  NegativeIncrementError,
  RegistrationError,
  Registry,
  startExporter,
  ValueError,
  validateMetricName,
} from '@llm-devops/prometheus-metrics';
import test from 'ava';
import fc from 'fast-check';
import { errorPage } from '../.ci/error-table.mjs';

// Not of the bundle that the package ships, so its classes are others than those of the package.
const own = createRequire(import.meta.url)('../dist/errors.js');
const { ERRORS, native, nativeAsync } = own;

/** A call for each kind of error, its class, and the built-in class that prom-client throws for it. */
const kinds = [
  ['an unknown content type', () => new Registry('x'), ConfigurationError, TypeError, 'INVALID_CONFIG'],
  [
    'a handler with a wrong path',
    () => createMetricsHandler({ path: 'x' }),
    ConfigurationError,
    TypeError,
    'INVALID_CONFIG',
  ],
  [
    'an invalid port',
    () => startExporter({ port: 65_536, host: '127.0.0.1' }),
    ConfigurationError,
    TypeError,
    'INVALID_CONFIG',
  ],
  ['an address that is not ours', () => startExporter({ host: '192.0.2.1' }), EndpointError, Error, 'BIND_FAILED'],
  ['a metric name', () => counter({ name: 'a b' }), RegistrationError, Error, 'INVALID_METRIC_NAME'],
  ['a label name', () => counter({ labelNames: ['a b'] }), RegistrationError, Error, 'INVALID_LABEL_NAME'],
  ['buckets', () => new Histogram({ ...config, buckets: [2, 1] }), RegistrationError, Error, 'INVALID_BUCKETS'],
  ['an unknown label', () => counter().inc({ q: 1 }), LabelError, Error, 'UNKNOWN_LABEL'],
  ['too many label values', () => counter().labels('x', 'y'), LabelError, Error, 'LABEL_COUNT'],
  ['a label value', () => counter().inc({ a: Object.create(null) }), LabelError, Error, 'INVALID_LABEL_VALUE'],
  ['a value', () => counter().inc('x'), ValueError, TypeError, 'INVALID_VALUE'],
  ['a negative increment', () => counter().inc(-1), NegativeIncrementError, Error, 'NEGATIVE_INCREMENT'],
  [
    'a second metric of one name',
    () => {
      const registers = [new Registry()];
      counter({ registers });
      counter({ registers });
    },
    RegistrationError,
    Error,
    'DUPLICATE_METRIC',
  ],
  [
    'a name of another type',
    () => {
      const registry = new Registry();
      registry.counter(config);
      registry.gauge(config);
    },
    RegistrationError,
    Error,
    'TYPE_MISMATCH',
  ],
];

const config = { name: 'm', help: 'Some help', labelNames: ['a'], registers: [] };

function counter(more) {
  return new Counter({ ...config, ...more });
}

for (const [title, call, Class, BuiltIn, code] of kinds) {
  test(`${title} is refused with ${code}`, async (t) => {
    const error = await t.throwsAsync(async () => await call());
    t.is(error.code, code);
    t.true(error instanceof Class);
    t.true(error instanceof MetricsError);
    t.true(error instanceof BuiltIn);
    t.true(error instanceof Error);
    t.is(error instanceof TypeError, BuiltIn === TypeError);
    t.is(Object.getPrototypeOf(error), Class.prototype);
    t.is(error.name, BuiltIn.name);
    t.true(error.stack.includes(error.message));
    t.true(error.stack.includes('errors.test.mjs'));
    for (const Other of Object.values(client).filter((value) => value.prototype instanceof Error)) {
      t.is(error instanceof Other, Other === Class || Other === MetricsError, Other.name);
    }
  });
}

test('nothing else is a MetricsError', (t) => {
  for (const value of [new Error('x'), new TypeError('x'), { code: 'INVALID_VALUE' }, null, undefined, 'x', () => {}]) {
    t.false(value instanceof MetricsError);
  }
});

// The table of codes.

test('docs/recording.md has the table that .ci/error-table.mjs writes', (t) => {
  const { page, wanted } = errorPage();
  t.is(page, wanted);
});

test('the core and the binding have no code that the table lacks, and the table none that nothing throws', async (t) => {
  const sources = ['core/src/error.rs', 'binding/error.rs'].map((path) => new URL(`../crate/${path}`, import.meta.url));
  const texts = await Promise.all(sources.map((source) => readFile(source, 'utf8')));
  const codes = new Set(texts.flatMap((text) => [...text.matchAll(/"([A-Z]+(?:_[A-Z]+)*)"/g)].map(([, code]) => code)));
  const madeInJavaScript = [
    'ADDON_NOT_FOUND',
    'CLUSTER_FAILED',
    'COLLECTOR_FAILED',
    'COLLECTOR_TIMEOUT',
    'INVALID_EXPOSITION',
  ];
  t.deepEqual([...codes, ...madeInJavaScript].sort(), Object.keys(ERRORS).sort());
});

for (const [code, className] of Object.entries(ERRORS)) {
  // These are made in JavaScript, with other arguments, or are only warnings.
  if (['warning', 'ExpositionError', 'CardinalityError', 'NegativeIncrementError'].includes(className)) continue;
  test(`an error of the addon with the code ${code} becomes a ${className}`, (t) => {
    const thrown = Object.assign(new Error('a message'), { code });
    const call = () =>
      native(() => {
        throw thrown;
      });
    const error = t.throws(call, { message: 'a message', code });
    t.not(error, thrown);
    t.true(error instanceof own[className]);
    t.true(error instanceof MetricsError);
  });
}

test('an error of Node-API that has no code of ours becomes an error of the engine', async (t) => {
  const thrown = Object.assign(new Error('no memory'), { code: 'GenericFailure' });
  const error = await t.throwsAsync(
    nativeAsync(() => Promise.reject(thrown)),
    { message: 'no memory', code: 'ENGINE' },
  );
  t.true(error instanceof MetricsError);
});

// Constructors.

const classes = [Counter, Gauge, Histogram];
const refusals = [
  ['no configuration', undefined, TypeError, 'INVALID_CONFIG', 'constructor expected a config object'],
  ['null', null, TypeError, 'INVALID_CONFIG', 'constructor expected a config object'],
  ['a name and a help', 'name', TypeError, 'INVALID_CONFIG', 'constructor expected a config object'],
  ['no help', { name: 'm' }, Error, 'INVALID_CONFIG', 'Missing mandatory help parameter'],
  ['an empty help', { name: 'm', help: '' }, Error, 'INVALID_CONFIG', 'Missing mandatory help parameter'],
  ['no name', { help: 'h' }, Error, 'INVALID_METRIC_NAME', 'Missing mandatory name parameter'],
  ['an empty name', { name: '', help: 'h' }, Error, 'INVALID_METRIC_NAME', 'Missing mandatory name parameter'],
  ['neither', {}, Error, 'INVALID_CONFIG', 'Missing mandatory help parameter'],
  [
    'a help that is not a string',
    { name: 'm', help: 5 },
    TypeError,
    'INVALID_CONFIG',
    'Expected a string for help but received 5 of type number',
  ],
  [
    'a name that is not a string',
    { name: ['m'], help: 'h' },
    TypeError,
    'INVALID_CONFIG',
    'Expected a string for name but received an object of type Array',
  ],
  [
    'labelNames that are not an array',
    { name: 'm', help: 'h', labelNames: 'ab' },
    TypeError,
    'INVALID_CONFIG',
    'Expected an array of strings for labelNames but received "ab" of type string',
  ],
  [
    'labelNames of null',
    { name: 'm', help: 'h', labelNames: null },
    TypeError,
    'INVALID_CONFIG',
    'Expected an array of strings for labelNames but received null',
  ],
  [
    'a label name that is not a string',
    { name: 'm', help: 'h', labelNames: ['a', 5] },
    TypeError,
    'INVALID_CONFIG',
    'Expected an array of strings for labelNames but received an object of type Array',
  ],
  [
    'a hole among labelNames',
    { name: 'm', help: 'h', labelNames: new Array(1) },
    TypeError,
    'INVALID_CONFIG',
    'Expected an array of strings for labelNames but received an object of type Array',
  ],
  [
    'a label name twice',
    { name: 'm', help: 'h', labelNames: ['a', 'b', 'a'] },
    Error,
    'INVALID_LABEL_NAME',
    'Invalid label name: a (given twice to m)',
  ],
  [
    'a collect that is not a function',
    { name: 'm', help: 'h', collect: 5 },
    TypeError,
    'INVALID_CONFIG',
    'Optional "collect" parameter must be a function',
  ],
  ['an unknown aggregator', { name: 'm', help: 'h', aggregator: 'median' }, TypeError, 'INVALID_CONFIG', /aggregator/],
  [
    'registers that are not registries',
    { name: 'm', help: 'h', registers: [{}] },
    TypeError,
    'INVALID_CONFIG',
    /registers/,
  ],
  [
    'registers that are not an array',
    { name: 'm', help: 'h', registers: new Registry() },
    TypeError,
    'INVALID_CONFIG',
    /registers/,
  ],
];
for (const Class of classes) {
  for (const [title, configuration, BuiltIn, code, message] of refusals) {
    test(`new ${Class.name}() refuses ${title}`, (t) => {
      const given =
        typeof configuration === 'object' && configuration !== null
          ? { registers: [], ...configuration }
          : configuration;
      const error = t.throws(() => new Class(given), { instanceOf: BuiltIn, code, message });
      t.true(error instanceof MetricsError);
      t.is(error instanceof TypeError, BuiltIn === TypeError);
    });
  }

  test(`new ${Class.name}() refuses names outside the data model`, (t) => {
    const registry = new Registry();
    const make = (name, labelNames) => () => new Class({ name, help: 'h', labelNames, registers: [registry] });
    for (const name of ['1a', 'a-b', 'a b', 'a.b', 'ä', 'a\n', 'a\0', ' a', '\ud800', '🦀']) {
      t.throws(make(name), {
        instanceOf: RegistrationError,
        code: 'INVALID_METRIC_NAME',
        message: `Invalid metric name: ${name.toWellFormed()}`,
      });
      t.throws(make('m', ['ok', name]), {
        instanceOf: RegistrationError,
        code: 'INVALID_LABEL_NAME',
        message: `At least one label name is invalid: ${name.toWellFormed()}`,
      });
    }
    // Colons are for metric names only, and a label name is not empty.
    t.throws(make('m', ['a:b']), { code: 'INVALID_LABEL_NAME' });
    t.throws(make('m', ['']), { code: 'INVALID_LABEL_NAME' });
    t.deepEqual(registry.getMetricsAsArray(), []);
    for (const name of ['a', '_', ':', 'a:b_C9', '__name__']) t.notThrows(make(name));
    t.notThrows(make('labels', ['a', '_', '__b', 'A9', 'name', 'job']));
  });
}

test('a histogram keeps le to itself; the others do not', (t) => {
  const labelNames = ['a', 'le'];
  t.throws(() => new Histogram({ ...config, labelNames }), {
    instanceOf: RegistrationError,
    code: 'INVALID_LABEL_NAME',
    message: 'le is a reserved label keyword',
  });
  t.notThrows(() => new Gauge({ ...config, labelNames }));
  t.notThrows(() => new Counter({ ...config, labelNames }));
  t.notThrows(() => new Histogram({ ...config, labelNames: ['quantile'] }));
});

test('constructors are constructors', (t) => {
  for (const Class of classes) t.throws(() => Class(config), { instanceOf: TypeError });
});

test('a constructor that refuses registers nothing', (t) => {
  const registry = new Registry();
  for (const more of [{ help: '' }, { collect: 5 }, { labelNames: ['a b'] }, { buckets: [2, 1] }]) {
    t.throws(() => new Histogram({ ...config, registers: [registry], ...more }));
  }
  t.deepEqual(registry.getMetricsAsArray(), []);
});

test('validateMetricName() follows the data model', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', 'Z', '_', ':', '9', '-') })), (name) => {
      t.is(validateMetricName(name), /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) && !name.includes('\n'));
    }),
    { numRuns: 2000 },
  );
  for (const value of [undefined, null, 5, {}, ['a'], Symbol('a')]) t.false(validateMetricName(value));
});

test('every class of errors is exported', (t) => {
  const exported = Object.keys(client).filter((name) => name.endsWith('Error'));
  t.deepEqual(exported.sort(), [
    'CardinalityError',
    'ConfigurationError',
    'EndpointError',
    'LabelError',
    'MetricsError',
    'NegativeIncrementError',
    'RegistrationError',
    'ValueError',
  ]);
});
