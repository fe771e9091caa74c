// Every public name is documented: each export of each subpath, and each public member of each exported class, is in
// README.md or in a page of docs/. Internal names are not in the declarations.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'ava';
import { entries } from '../../.ci/entries.mjs';
import { pageNames, ROOT, readPage } from './support/pages.mjs';

const require = createRequire(import.meta.url);
const DIST = join(ROOT, 'dist');
const read = (...path) => readFileSync(join(...path), 'utf8');

const docs = pageNames()
  .filter((name) => name === 'README.md' || (name.startsWith('docs/') && !name.startsWith('docs/api/')))
  .map((name) => readPage(name).text)
  .join('\n');

/** Members that users do not call: the framework does. */
const CALLED_BY_FRAMEWORKS = /^LangChainHandler\./;

/** Whether a text names an export. */
const names = (text, name) => new RegExp(`(?<![\\w$])${name}(?![\\w$])`).test(text);
/** Whether a text shows a member in code: `name`, .name or name(. */
const shows = (text, name) => new RegExp(`[\`.]${name}(?![\\w$])|(?<![\\w$])${name}\\(`).test(text);

/** The names that a subpath exports at run time. */
const valuesOf = ({ path, hasBoth }) => (hasBoth ? Object.keys(require(join(DIST, 'entry', `${path}.js`))) : []);

/** All names that the declarations of the subpaths mention: values and types. */
const mentioned = new Set(
  entries().flatMap(({ declaration }) => read(DIST, 'entry', declaration).match(/\b[A-Z]\w+\b/g)),
);

/** The classes in a declaration file, each with its base class and the names of its public members. */
function classesIn(text) {
  const classes = /^export declare (?:abstract )?class (\w+)([^{]*)\{\n([\s\S]*?)^\}/gm;
  return [...text.matchAll(classes)].map(([, name, header, body]) => {
    // The last one: those before it bound type parameters.
    const base = [...header.matchAll(/extends (\w+)/g)].at(-1)?.[1];
    const members = body.matchAll(/^ {4}(?:static |readonly |abstract |get |set )*(\w+)(?=[<(:;])/gm);
    return {
      name,
      base,
      members: new Set([...members].map(([, member]) => member).filter((it) => it !== 'constructor')),
    };
  });
}

const declarations = readdirSync(DIST, { recursive: true })
  .filter((file) => file.endsWith('.d.ts') && !file.startsWith('entry'))
  .map((file) => read(DIST, file));
const classes = declarations.flatMap(classesIn);
const publicClasses = classes.filter(
  ({ name }) => mentioned.has(name) || classes.some(({ name: sub, base }) => base === name && mentioned.has(sub)),
);

test('the lists are not empty', (t) => {
  const found = Object.fromEntries(publicClasses.map(({ name, members }) => [name, members]));
  t.true(found.Registry.has('mount') && found.Registry.has('globalRegistry'));
  t.true(found.Metric.has('removeMatching') && found.Metric.has('name'));
  t.true(
    found.LlmMetricsCollector.has('setBudget') && found.LlmCall.has('ended') && found.AgentExecution.has('within'),
  );
  t.false('SeriesSet' in found);
  const all = entries().flatMap(valuesOf);
  t.true(all.length > 45 && all.includes('configFromEnv') && all.includes('SAMPLE_PRICES'));
});

test('every export is documented', (t) => {
  const missing = entries().flatMap((entry) => valuesOf(entry).filter((name) => !names(docs, name)));
  t.deepEqual([...new Set(missing)], []);
});

test('every public member of an exported class is documented', (t) => {
  const members = publicClasses.flatMap(({ name, members }) =>
    [...members].map((member) => [`${name}.${member}`, member]),
  );
  const missing = members.filter(([full, member]) => !CALLED_BY_FRAMEWORKS.test(full) && !shows(docs, member));
  t.deepEqual(
    missing.map(([full]) => full),
    [],
  );
});

test('declarations have no internal names', (t) => {
  const internal = declarations.concat(entries().map(({ declaration }) => read(DIST, 'entry', declaration)));
  t.deepEqual(
    internal.flatMap((text) => text.match(/.*@internal.*/g) ?? []),
    [],
  );
});

test('Registry has no members but the documented ones', (t) => {
  const { Registry } = require(DIST.concat('/entry/index.js'));
  const registry = publicClasses.find(({ name }) => name === 'Registry');
  const own = [...Object.getOwnPropertyNames(Registry.prototype), ...Object.getOwnPropertyNames(Registry)];
  const ofFunctions = ['constructor', 'length', 'name', 'prototype'];
  // Private fields of prom-client, which some programs read. docs/compatibility.md names them.
  t.deepEqual(
    own.filter((name) => !registry.members.has(name) && !ofFunctions.includes(name)),
    ['_metrics', '_defaultLabels', '_contentType'],
  );
  t.deepEqual(Object.getOwnPropertyNames(new Registry()), []);
});
