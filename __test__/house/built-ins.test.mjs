/**
 * Holds that the library recognises objects by what they can do, and that it calls no global timer. A program may replace
 * a global (`Promise`, by zone.js or bluebird; timers, by jsdom), and objects may come from another realm (a test runner's,
 * for example): `instanceof` is false for both.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import test from 'ava';
import { blank, filesBelow } from './support/sources.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;

/** Names that are global in this version of Node.js. A class of the library may not have one of them. */
const isBuiltIn = (name) => name in globalThis || /^(Readable|Writable|Duplex|EventEmitter|Server|Socket)$/.test(name);

function uses(source) {
  return [...blank(source).matchAll(/\binstanceof\s+(?:globalThis\.)?([\w.]+)/g)].map(([, name]) => name);
}

function refusals(file, source) {
  return uses(source)
    .filter(isBuiltIn)
    .map((name) => `${file}: instanceof ${name}`);
}

test('no file asks whether an object is an instance of a built-in class', (t) => {
  const files = filesBelow(`${ROOT}src`, ['.ts', '.mts']);
  t.true(files.length > 100);
  t.deepEqual(
    files.flatMap((path) => refusals(relative(ROOT, path), readFileSync(path, 'utf8'))),
    [],
  );
});

const TIMERS = /^(?:set|clear)(?:Timeout|Interval|Immediate)$/;

/** Files that call the global timers, each with the reason. */
const GLOBAL_TIMERS = {
  'src/processes/gatherings.ts':
    'tests of programs replace the clock to see the time-out of a worker, as with the peers',
};

/** Timers that a file calls without an import. */
function globalTimers(file, source) {
  if (GLOBAL_TIMERS[file] !== undefined) return [];
  const code = blank(source);
  const called = [...code.matchAll(/(?<![.\w])((?:set|clear)\w+)\(/g)]
    .map(([, name]) => name)
    .filter((name) => TIMERS.test(name));
  const imports = [...code.matchAll(/^import \{([^}]*)\} from/gm)].flatMap(([, names]) => names.split(/[\s,]+/));
  return [...new Set(called)].filter((name) => !imports.includes(name)).map((name) => `${file}: ${name}()`);
}

test('timers come from node:timers: test environments replace the global ones', (t) => {
  const files = filesBelow(`${ROOT}src`, ['.ts', '.mts']);
  t.deepEqual(
    files.flatMap((path) => globalTimers(relative(ROOT, path), readFileSync(path, 'utf8'))),
    [],
  );
  t.deepEqual(
    globalTimers('src/x.ts', "import { setTimeout } from 'y';\nsetTimeout(f); setImmediate(f); a.clearTimeout(b);"),
    ['src/x.ts: setImmediate()'],
  );
});

test('the search finds built-in classes in code, and nothing in comments and texts', (t) => {
  const found = (source) => refusals('src/x.ts', source);
  for (const name of ['Promise', 'Error', 'Map', 'Date', 'Buffer', 'AbortSignal', 'Headers', 'Response', 'WeakRef']) {
    t.deepEqual(found(`if (!(x instanceof ${name})) {}`), [`src/x.ts: instanceof ${name}`]);
  }
  t.deepEqual(found('x instanceof globalThis.Promise'), ['src/x.ts: instanceof Promise']);
  t.deepEqual(found("// x instanceof Promise\nconst a = 'x instanceof Map'; y instanceof Registry"), []);
});
