/**
 * One library a realm: when a bundler or a package manager put a second copy of this package into a program, the
 * second hands out what the first made, so that there is one default registry and `instanceof` holds.
 */
import type * as Api from './api';

/** Copies of one major version hand out the same. */
const KEY = Symbol.for('@llm-devops/prometheus-metrics@0');

const realm = globalThis as { [KEY]?: typeof Api };

function load(): typeof Api {
  const api = require('./api') as typeof Api;
  Object.defineProperty(realm, KEY, { value: api, configurable: true });
  return api;
}

export const api: typeof Api = realm[KEY] ?? load();
