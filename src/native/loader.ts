/**
 * Finds and loads the file of the native addon. Does not depend on what the addon does, or on the message for the user if
 * the file is missing. It is a file of its own in the package, so it imports nothing that other files need.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { types } from 'node:util';
import { platformNames } from './platform';

/** A place where the addon was looked for, and the error that came of it. */
export interface Attempt {
  readonly place: string;
  /** The platform of the package, if the place is one. */
  readonly platform?: string | undefined;
  readonly error: Error;
}

/** The addon, or every attempt to load it. */
export type Loaded<A> = { readonly addon: A } | { readonly attempts: readonly Attempt[] };

/** The variable that names the addon's file. It is the only one that is read whenever the library is loaded. */
export const PATH_VARIABLE = 'METRICS_ADDON_PATH';

/** The file that the variable names, or `undefined`. Blanks around it do not count, as in the core's variables. */
export function namedFile(): string | undefined {
  return process.env[PATH_VARIABLE]?.trim() || undefined;
}

/**
 * Loads the file that the variable names, or else the file built in this checkout, or else a prebuilt package.
 *
 * @param isAddon tells the addon from other modules: the variable may name any file, and a bundler may replace a `.node`
 *   file by its address
 * @param messageOf makes a message of a thrown value, such as a number
 */
export function loadAddon<A>(
  isAddon: (module: unknown) => module is A,
  messageOf: (thrown: unknown) => string,
): Loaded<A> {
  const named = namedFile();
  const attempts: Attempt[] = [];
  for (const { place, platform, load } of named === undefined ? candidates() : [fromVariable(named)]) {
    const result = load();
    if (isAddon(result)) return { addon: result };
    const thrown = result instanceof Failed ? result.thrown : 'it is not the addon of this library';
    const error = types.isNativeError(thrown)
      ? thrown
      : new Error(typeof thrown === 'string' ? thrown : messageOf(thrown));
    attempts.push({ place, platform, error });
  }
  return { attempts };
}

/** The outcome of loading a file that cannot be loaded. */
class Failed {
  /** What was thrown, or the reason. */
  readonly thrown: unknown;
  constructor(thrown: unknown) {
    this.thrown = thrown;
  }
}

interface Candidate {
  readonly place: string;
  readonly platform?: string;
  /** Loads the addon, or returns a `Failed`. */
  load(): unknown;
}

function fromVariable(path: string): Candidate {
  return { place: `${PATH_VARIABLE}=${path}`, load: () => requireFile(path) };
}

function candidates(): Candidate[] {
  const names = platformNames();
  const built = builtHere(names[0]);
  return [
    ...(built === undefined ? [] : [{ place: built, load: () => requireFile(built) }]),
    ...names.map((name) => ({ place: packageName(name), platform: name, load: () => requirePackage(name) })),
  ];
}

/** The package of a platform. */
export function packageName(platform: string): string {
  return `@llm-devops/prometheus-metrics-${platform}`;
}

/** The file that `npm run build` made. Published packages have none. */
function builtHere(platform: string): string | undefined {
  // A bundle that is an ES module has no `__dirname`.
  if (typeof __dirname !== 'string') return undefined;
  const file = join(__dirname, '..', `prometheus-metrics.${platform}.node`);
  return existsSync(file) ? file : undefined;
}

/**
 * Loads a file that only this run of the program knows. A bundler must neither resolve nor replace the call, and in a
 * single executable application the plain `require` knows built-in modules only. `process.dlopen` would do as well once,
 * but a second load in the same thread (another realm) would replace the classes of the first.
 */
function requireFile(file: string): unknown {
  // Node.js would read a file of another name as JavaScript.
  if (!file.endsWith('.node')) return new Failed(`Expected the path of a .node file but received ${file}`);
  try {
    // Fails for a relative path if the working directory has been deleted.
    const path = resolve(file);
    return createRequire(path)(path);
  } catch (error) {
    return new Failed(error);
  }
}

/** The platforms with a prebuilt package. */
export const PLATFORMS: readonly string[] = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'linux-x64-gnu',
  'linux-x64-musl',
  'win32-arm64-msvc',
  'win32-x64-msvc',
];

/**
 * Loads the prebuilt package of a platform. Each name is written out, so that file tracers and bundlers see it;
 * `require.resolve()` inside a `try` keeps bundlers from failing over the packages that are not installed.
 */
function requirePackage(platform: string): unknown {
  try {
    switch (platform) {
      case 'darwin-arm64':
        return require(require.resolve('@llm-devops/prometheus-metrics-darwin-arm64'));
      case 'darwin-x64':
        return require(require.resolve('@llm-devops/prometheus-metrics-darwin-x64'));
      case 'linux-arm64-gnu':
        return require(require.resolve('@llm-devops/prometheus-metrics-linux-arm64-gnu'));
      case 'linux-arm64-musl':
        return require(require.resolve('@llm-devops/prometheus-metrics-linux-arm64-musl'));
      case 'linux-x64-gnu':
        return require(require.resolve('@llm-devops/prometheus-metrics-linux-x64-gnu'));
      case 'linux-x64-musl':
        return require(require.resolve('@llm-devops/prometheus-metrics-linux-x64-musl'));
      case 'win32-arm64-msvc':
        return require(require.resolve('@llm-devops/prometheus-metrics-win32-arm64-msvc'));
      case 'win32-x64-msvc':
        return require(require.resolve('@llm-devops/prometheus-metrics-win32-x64-msvc'));
      default:
        return new Failed('There is no package for this platform');
    }
  } catch (error) {
    return new Failed(error);
  }
}
