/**
 * Measures the packages that a program loads, with the same functions that a program would call. Node.js reports what
 * `require()` and `import()` load through diagnostics channels. It does not report `import` statements, and Node.js 20 reports
 * nothing: there, the packages that the application's files name are loaded before the application loads them.
 */
import { type ChannelListener, subscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import vm from 'node:vm';
import type { ServerWatch } from '../http/metrics/servers';
import { read } from '../read';
import { quietly } from '../warnings';
import { type Application, packageOf } from './application';
import { databases, frameworks } from './frameworks';
import { type Measured, sdks } from './sdks';

/**
 * @returns the names of the packages that the application uses and that are measured, when those are loaded that had to be.
 * Packages that cannot be loaded are not among them
 */
export async function watchPackages(application: Application, contexts: ServerWatch): Promise<readonly string[]> {
  const all = [...frameworks(contexts), ...databases, ...sdks];
  const known = new Map(all.map((measured) => [measured.name, measured]));
  const found = (name: string | undefined, module: unknown, isPart: boolean): void => {
    const measured = name === undefined ? undefined : known.get(name);
    if (measured === undefined || (isPart && measured.parts === undefined)) return;
    quietly(() => measured.measure(module));
  };
  subscribe('tracing:module.require:end', ((message: { id?: unknown; parentFilename?: unknown; result?: unknown }) => {
    const { id, parentFilename, result } = message;
    if (typeof id !== 'string') return;
    const isRelative = id.startsWith('.');
    found(packageOf(isRelative ? String(parentFilename) : id), result, isRelative);
  }) as ChannelListener);
  subscribe('tracing:module.import:asyncEnd', ((message: { url?: unknown; result?: unknown }) => {
    if (typeof message.url === 'string') found(packageOf(message.url), message.result, false);
  }) as ChannelListener);
  const load = loaderOf(application);
  const used = all.filter((measured) => isUsed(measured, application.imports));
  const areMeasured = await Promise.all(used.map((measured) => prepare(load, measured)));
  return used.filter((_, at) => areMeasured[at]).map(({ name }) => name);
}

/** Measures a package that the application uses. @returns false if it cannot be loaded */
async function prepare(load: Load, measured: Measured): Promise<boolean> {
  if (!measured.isNeeded) {
    quietly(() => measured.measure(undefined));
    return true;
  }
  const { name, parts } = measured;
  const specifiers = parts === undefined ? [name] : parts.map((part) => `${name}/${part}`);
  const loaded = await Promise.all(specifiers.map((specifier) => loadAndMeasure(load, specifier, measured)));
  return loaded.includes(true);
}

function isUsed({ name, usedBy = [] }: Measured, imports: ReadonlySet<string>): boolean {
  const prefixes = [`${name}/`, ...usedBy];
  return imports.has(name) || [...imports].some((specifier) => prefixes.some((prefix) => specifier.startsWith(prefix)));
}

async function loadAndMeasure(load: Load, specifier: string, measured: Measured): Promise<boolean> {
  let module: unknown;
  try {
    module = await load(specifier);
  } catch {
    // If the program needs it, the program gets the error.
    return false;
  }
  if (module !== undefined) quietly(() => measured.measure(module));
  return true;
}

/** Loads a package, or throws. Returns undefined if Node.js reports the package when the application loads it. */
type Load = (specifier: string) => unknown;

/** Loads packages as the application would. */
function loaderOf({ file, isModule }: Application): Load {
  const require = createRequire(file);
  const [major = 0] = process.versions.node.split('.').map(Number);
  const ofScripts: Load = major < 22 ? require : (specifier) => void require.resolve(specifier);
  return isModule ? (importerOf(file) ?? ofScripts) : ofScripts;
}

/** Makes a function that imports from a folder that is not this file's. */
function importerOf(file: string): Load | undefined {
  const loader: unknown = read(vm.constants, 'USE_MAIN_CONTEXT_DEFAULT_LOADER');
  if (loader === undefined) return undefined;
  const script = new vm.Script('(specifier) => import(specifier)', {
    filename: file,
    importModuleDynamically: loader as number,
  });
  const load = script.runInThisContext() as Load;
  return (specifier) => withoutWarnings(() => load(specifier));
}

/** Node.js warns that this way to import is experimental. The user has not chosen it. */
function withoutWarnings<R>(run: () => R): R {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return run();
  } finally {
    process.emitWarning = emitWarning;
  }
}
