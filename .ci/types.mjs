/**
 * Writes what TypeScript takes from the core's definitions: the types of settings (`dist/settings.d.ts`) and of label
 * values (`dist/words.d.ts`), and the tables that disabled metrics read in place of a missing addon (`dist/tables.js`).
 * Needs the built addon; run before the compiler.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const HEADER = '// Made by the build (.ci/types.mjs) from the definitions in the core.\n';
const TABLE_TYPES = `${HEADER}import type * as Addon from './native';
export declare const constants: {
  readonly DEFAULT_NAMESPACE: string;
  readonly MAX_NAME_LENGTH: number;
  readonly OVERFLOW_VALUE: string;
  readonly SCRATCH_BYTES: number;
};
export declare const catalogues: Record<'llm' | 'agent', Omit<Addon.CatalogueEntry, 'help'>[]>;
export declare const labelWords: Omit<Addon.LabelWords, 'sentence'>[];
export declare const operationsWithoutTokens: string[];
export declare const settings: Record<string, string[]>;
export declare const defaultSettings: import('./settings').ConfigValues;
`;
const addon = loadAddon();

writeFileSync(join(dist, 'settings.d.ts'), settingTypes(addon.NativeConfig.settings(), new addon.NativeConfig([])));
writeFileSync(join(dist, 'words.d.ts'), wordTypes(addon.labelWords()));
writeFileSync(join(dist, 'tables.js'), `${HEADER}module.exports = ${JSON.stringify(tables(addon))};\n`);
writeFileSync(join(dist, 'tables.d.ts'), TABLE_TYPES);

/** `dist` may have addons of several platforms; all have the same types, so the first that loads will do. */
function loadAddon() {
  const require = createRequire(import.meta.url);
  const files = readdirSync(dist).filter((file) => file.endsWith('.node'));
  const failures = [];
  for (const file of files) {
    try {
      return require(join(dist, file));
    } catch (error) {
      failures.push(`${file}: ${error.message}`);
    }
  }
  throw new Error(`Expected a built addon in dist. Run \`npm run build:addon\` first.\n${failures.join('\n')}`);
}

/** Without what only messages and docs need: nothing is shown without the addon. */
function tables({ DEFAULT_NAMESPACE, MAX_NAME_LENGTH, OVERFLOW_VALUE, SCRATCH_BYTES, ...core }) {
  const bare = (entries) => entries.map(({ help: _, ...entry }) => entry);
  const settings = {};
  for (const { options, option } of core.NativeConfig.settings()) {
    settings[options] ??= [];
    settings[options].push(option);
  }
  return {
    constants: { DEFAULT_NAMESPACE, MAX_NAME_LENGTH, OVERFLOW_VALUE, SCRATCH_BYTES },
    catalogues: { llm: bare(core.catalogue(false)), agent: bare(core.catalogue(true)) },
    labelWords: core.labelWords().map(({ sentence: _, ...list }) => list),
    operationsWithoutTokens: core.operationsWithoutTokens(),
    settings,
    defaultSettings: new core.NativeConfig([]).values(),
  };
}

function settingTypes(settings, config) {
  const defaults = config.values();
  const of = (options) => settings.filter((setting) => setting.options === options);
  return [
    HEADER,
    '/** Settings of every endpoint. Each overrides the environment variable that docs/endpoint.md names beside it. */',
    'export interface EndpointSettings {',
    ...of('endpoint').map((setting) => option(setting, defaults)),
    '}',
    '',
    "/** Settings of an exporter's listener. */",
    'export interface ListenerSettings {',
    ...of('exporter').map((setting) => option(setting, defaults)),
    '}',
    '',
    '/** Settings of a pusher. */',
    'export interface PusherSettings {',
    ...of('pusher').map((setting) => pushersOption(setting, defaults)),
    '}',
    '',
    '/** The values of all settings of endpoints. Durations are milliseconds, sizes bytes. */',
    'export interface ConfigValues {',
    // The two settings of the cache are one value: `cacheTtlMs` is 0 if the cache is off.
    ...settings
      .filter(({ option, options }) => option !== 'cacheEnabled' && options !== 'pusher')
      .map((setting) => value(setting, defaults)),
    '}',
    '',
  ].join('\n');
}

function option(setting, defaults) {
  const type = setting.valueType.endsWith('[]') ? `readonly ${setting.valueType}` : setting.valueType;
  const standard = defaultOf(setting, defaults);
  const tag = standard === '' ? '' : ` @default ${standard}`;
  return `  /** ${sentenceOf(setting)}${tag} */\n  ${setting.option}?: ${type} | undefined;`;
}

/** `pushUrl` is the option `url`; lists are objects there. */
function pushersOption(setting, defaults) {
  const written = option(setting, defaults).replace(/^ {2}push(.)/m, (_, first) => `  ${first.toLowerCase()}`);
  return written.replace('readonly string[]', 'Readonly<Record<string, string>>');
}

function value(setting, defaults) {
  const type = setting.valueType.includes("'") ? 'string' : setting.valueType;
  const optional = setting.option in defaults ? '' : '?';
  return `  /** ${sentenceOf(setting)} */\n  ${setting.option}${optional}: ${type};`;
}

function sentenceOf({ sentence, isDuration }) {
  return isDuration ? `${sentence} In milliseconds.` : sentence;
}

/** A setting's default as code; empty if it has none. */
function defaultOf({ option, defaultWords }, defaults) {
  const standard = defaults[option];
  if (defaultWords !== '') return defaultWords;
  if (standard === undefined || (Array.isArray(standard) && standard.length === 0)) return '';
  return typeof standard === 'string' ? `'${standard}'` : String(standard);
}

function wordTypes(lists) {
  const wordsOf = new Map(lists.map(({ name, words }) => [name, words]));
  const types = lists.map(({ name, sentence, base, words }) => {
    const inherited = wordsOf.get(base) ?? [];
    const own = words.filter((word) => !inherited.includes(word)).map((word) => `'${word}'`);
    const union = base === undefined ? own : [base, ...own];
    return `/** ${sentence} */\nexport type ${name} = ${union.join(' | ')};\n`;
  });
  return [HEADER, ...types].join('\n');
}
