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

const realm = globalThis as { [KEY]?: typeof Api };

function load(): typeof Api {
  const api = require('./api') as typeof Api;
  Object.defineProperty(realm, KEY, { value: api, configurable: true });
  return api;
}

export const api: typeof Api = realm[KEY] ?? load();
