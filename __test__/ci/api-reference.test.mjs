// How the API reference reads the entries of the package. That docs/api is current is checked by
// `.ci/api-reference.mjs --check`, which installs TypeDoc.

import { readFileSync } from 'node:fs';
import test from 'ava';
import { entriesOf, withMarks, withoutOver, withoutRepeated } from '../../.ci/api-reference.mjs';
import { withReexports } from '../../.ci/declarations.mjs';

test('values that an entry takes from another module become re-exports, with their types', (t) => {
  t.is(
    withReexports(`import type * as Api from '../api';
import type { RegistryContentType } from '../types';
export declare const register: Api.Registry;
export declare const Counter: typeof Api.Counter;
export type Counter<T extends string = string> = Api.Counter<T>;
export declare const createHttpMetrics: typeof Api.createFastifyHttpMetrics;
export declare const contentType: RegistryContentType;
export declare const other: typeof Unknown.other;
export type Alone = Api.Alone;
export type { Price } from '../prices';
`),
    `import type * as Api from '../api';
import type { RegistryContentType } from '../types';
export declare const register: Api.Registry;
export { Counter } from '../api';
export { createFastifyHttpMetrics as createHttpMetrics } from '../api';
export declare const contentType: RegistryContentType;
export declare const other: typeof Unknown.other;
export type Alone = Api.Alone;
export type { Price } from '../prices';
`,
  );
});

test('a default export of all names is left out', (t) => {
  const names = "export { a } from './a';\n";
  const all = "import everything = require('./index.js');\n/** All names. */\nexport default everything;\n";
  t.is(withoutRepeated(names + all), names);
  t.is(withoutRepeated(`${names}export default a;\n`), `${names}export default a;\n`);
});

test('namespaces with names of prom-client are left out', (t) => {
  const names = "export { a } from './a';\n";
  t.is(
    withoutRepeated(`${names}export declare namespace Gauge {\n    interface Internal {\n    }\n}\n${names}`),
    names + names,
  );
});

test('methods that subclasses may override look like others', (t) => {
  const declared = `    /** The value. */
    value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, number>;
    value<P = never>(...args: Over<P, [labels?: AnyLabels<T>]>): Over<P, number>;
    time<R, P = never>(...args: Over<P, [run: () => R]>): Over<P, R>;
    time<R, P = never>(...args: Over<P, [labels: AnyLabels<T>, run: () => R]>): Over<P, R>;
    mount<P = never>(...args: Over<P, [labels: Readonly<Record<string, X>>]>): Over<P, () => void>;
    mount<P = never>(...args: Over<P, [labels: Readonly<Record<string, X>>]>): Over<P, () => void>;
    inc<P = never>(labels: Over<P, AnyLabels<T>>, value?: Over<P, number | null>): void;
    same(): void;
    same(): void;
`;
  const shown = `    /** The value. */
    value(labels?: AnyLabels<T>): number;
    time<R>(run: () => R): R;
    time<R>(labels: AnyLabels<T>, run: () => R): R;
    mount(labels: Readonly<Record<string, X>>): () => void;
    inc(labels: AnyLabels<T>, value?: number | null): void;
    same(): void;
`;
  t.is(withoutOver(declared), shown);
});

test('every entry with names of its own has a page', (t) => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const pages = entriesOf(manifest).map(({ page }) => page);
  t.true(pages.includes('index'));
  t.true(pages.includes('testing'));
  t.deepEqual(
    Object.keys(manifest.exports)
      .filter((subpath) => !pages.includes(subpath === '.' ? 'index' : subpath.slice(2)))
      .filter((subpath) => !subpath.startsWith('./lib/') && subpath !== './index.js'),
    ['./testing/jest', './testing/vitest', './package.json'],
  );
  for (const { declarations } of entriesOf(manifest)) t.regex(declarations, /^\.\/dist\/.+\.d\.ts$/);
});

test('entries that only prom-client has files for, and files loaded for their effect, have no page', (t) => {
  const types = (path) => ({ types: `./dist/entry/${path}.d.ts`, default: `./dist/entry/${path}.js` });
  const exported = {
    '.': { import: types('index'), require: types('index') },
    './lib/registry': types('lib/registry'),
    './index.js': types('index'),
    './testing/jest': types('testing/jest'),
    './prices': types('prices'),
    './package.json': './package.json',
  };
  t.deepEqual(entriesOf({ exports: exported }), [
    { page: 'index', declarations: './dist/entry/index.d.ts' },
    { page: 'prices', declarations: './dist/entry/prices.d.ts' },
  ]);
});

test('examples are marked as excerpts', (t) => {
  t.is(
    withMarks('Text\n\n```ts\na();\n```\n'),
    'Text\n\n<!-- not run: an excerpt, whole programs are in the guides -->\n\n```ts\na();\n```\n',
  );
});
