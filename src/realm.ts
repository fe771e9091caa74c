/**
 * Loads the library once in each realm. If a bundler or a package manager put a second copy of this package into a
 * program, the second copy exports the objects of the first, so that there is one default registry and `instanceof`
 * works across both.
 */
import type * as Api from './api';

/**
 * All copies of compatible versions use this key. A minor version of 0.x may break, so its number is part of the key,
 * and two of them in one program each work; from 1.0 on the major version is enough. A test compares it with
 * package.json.
 */
const KEY = Symbol.for('@llm-devops/prometheus-metrics@0.1');

/** The key, in the library itself, of the files of all copies that share it. */
const COPIES = Symbol.for('copies');

type Shared = typeof Api & { [COPIES]?: Set<string> };

const realm = globalThis as { [KEY]?: Shared };

function load(): Shared {
  const api = require('./api') as Shared;
  Object.defineProperty(realm, KEY, { value: api, configurable: true });
  Object.defineProperty(api, COPIES, { value: new Set() });
  api.joinAsWorker();
  return api;
}

/** This file. A bundle that is an ES module does not have the variable. */
const file = typeof __filename === 'string' ? __filename : '';

/**
 * True if Jest has dropped its loaded modules: `jest.resetModules()` and `jest.isolateModules()` load the same file again,
 * and a test that calls them expects a new registry. Outside of Jest a file that is loaded again is a hot reload, which
 * must keep the registry.
 */
function wasReset(): boolean {
  return process.env.JEST_WORKER_ID !== undefined && realm[KEY]?.[COPIES]?.has(file) === true;
}

const shared = realm[KEY] === undefined || wasReset() ? load() : realm[KEY];
shared[COPIES]?.add(file);

export const api: typeof Api = shared;
