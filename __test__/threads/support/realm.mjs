// Loads the library once more, as a test runner does: its JavaScript anew in a global of its own.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, resolve } from 'node:path';
import { compileFunction, createContext } from 'node:vm';

const require = createRequire(import.meta.url);
const ENGINE_MEMORY = Symbol.for('@llm-devops/prometheus-metrics.engine-memory');

/**
 * The library in a new global.
 *
 * @param addon 'shared': the addon's exports are the process's, as in Jest; 'loaded': they are this realm's own
 */
export function realm(addon) {
  const context = createContext({ process, Buffer, URLSearchParams, setTimeout, clearTimeout });
  context[ENGINE_MEMORY] = globalThis[ENGINE_MEMORY];
  const modules = new Map();
  const load = (path) => {
    const file = /\.(js|node)$/.test(path) ? path : `${path}.js`;
    if (modules.has(file)) return modules.get(file).exports;
    const module = { exports: {} };
    modules.set(file, module);
    if (file.endsWith('.js')) runIn(context, file, module, load);
    else if (addon === 'shared') module.exports = require(file);
    else process.dlopen(module, file);
    return module.exports;
  };
  return load(require.resolve('@llm-devops/prometheus-metrics'));
}

function runIn(context, file, module, load) {
  const names = ['exports', 'require', 'module', '__filename', '__dirname'];
  const run = compileFunction(readFileSync(file, 'utf8'), names, { parsingContext: context, filename: file });
  const requireIn = (id) => (id.startsWith('.') || isAbsolute(id) ? load(resolve(dirname(file), id)) : require(id));
  run.call(module.exports, module.exports, requireIn, module, file, dirname(file));
}
