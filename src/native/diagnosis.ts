/**
 * Explains why the addon could not be loaded: what was tried, what is installed, and the one thing to do. It is only
 * loaded after a failure.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Attempt, namedFile, PATH_VARIABLE, PLATFORMS, packageName } from './loader';
import { fittingNames, platformNames, runningLibC, systemName } from './platform';

/** The scope of the platform packages, and the beginning of their names in it. */
const [SCOPE, PREFIX] = packageName('').split('/');

const PAGE = 'https://github.com/llm-devops/prometheus-metrics/blob/main/docs/troubleshooting.md#addon_not_found';

/** The message of `ADDON_NOT_FOUND`. */
export function explain(attempts: readonly Attempt[]): string {
  const installed = installedPlatforms();
  return [
    `@llm-devops/prometheus-metrics could not load its native addon on ${describePlatform()}. Tried:`,
    ...attempts.map(({ place, error }) => `  ${place}: ${firstLine(error)}`),
    `Platform packages installed: ${installed.length === 0 ? 'none' : installed.join(', ')}.`,
    `What to do: ${advice(attempts, installed)}`,
    `See ${PAGE}`,
  ].join('\n');
}

function describePlatform(): string {
  const libC = process.platform === 'linux' ? ` (C library: ${runningLibC() ?? 'unknown'})` : '';
  return `${systemName()}${libC}, ${runtimeName()}`;
}

/** Other runtimes tell a version of Node.js, too. */
function runtimeName(): string {
  const name = ['Bun', 'Deno', 'Electron'].find((each) => process.versions[each.toLowerCase()] !== undefined);
  return name === undefined ? `Node.js ${process.version}` : `${name} ${process.versions[name.toLowerCase()]}`;
}

function firstLine({ message }: Error): string {
  return message.split('\n')[0];
}

/** The one thing to do, for the first cause that fits. */
function advice(attempts: readonly Attempt[], installed: readonly string[]): string {
  const causes = [
    () => forbidden(attempts),
    () => oldLibC(attempts),
    () => wrongVariable(),
    () => unsupported(),
    () => broken(attempts, installed),
    () => bundled(),
    () => lockFile(),
    () => otherPlatform(installed),
  ];
  for (const cause of causes) {
    const found = cause();
    if (found !== undefined) return found;
  }
  return (
    'the package of this platform is an optional dependency and was not installed. Install without --omit=optional ' +
    'or --no-optional; with npm: `npm install --include=optional`.'
  );
}

/** The program runs without the right to load addons, or to read their files. */
function forbidden(attempts: readonly Attempt[]): string | undefined {
  if (attempts.some(({ error }) => error.name === 'NotCapable')) {
    return 'start Deno with --allow-ffi --allow-read --allow-env.';
  }
  const codes = attempts.map(({ error }) => (error as NodeJS.ErrnoException).code);
  if (codes.includes('ERR_DLOPEN_DISABLED')) {
    // `process.permission` exists only under the permission model.
    return Reflect.get(process, 'permission') === undefined
      ? 'start Node.js without --no-addons.'
      : 'start Node.js with --allow-addons: the permission model (--permission) forbids native addons.';
  }
  if (!codes.includes('ERR_ACCESS_DENIED')) return undefined;
  return 'start Node.js with --allow-fs-read=<folder> for the folder of the addon: the permission model forbids to read it.';
}

/** The dynamic loader misses a version of glibc. */
function oldLibC(attempts: readonly Attempt[]): string | undefined {
  for (const { error } of attempts) {
    const version = /version [`']GLIBC_([0-9.]+)' not found/.exec(error.message)?.[1];
    if (version === undefined) continue;
    return (
      `the addon needs glibc ${version} or newer and this system has an older one. Use the published package, which ` +
      `needs 2.17, or build the addon on this system and name its file in ${PATH_VARIABLE}.`
    );
  }
  return undefined;
}

function wrongVariable(): string | undefined {
  if (namedFile() === undefined) return undefined;
  const [platform] = platformNames();
  const wanted = PLATFORMS.includes(platform)
    ? `file prometheus-metrics.${platform}.node, which is in the package ${packageName(platform)}`
    : `.node file that \`npm run build:addon\` makes in a checkout on ${systemName()}`;
  return `set ${PATH_VARIABLE} to the absolute path of the ${wanted}, or unset it.`;
}

function unsupported(): string | undefined {
  if (platformNames().some((name) => PLATFORMS.includes(name))) return undefined;
  return (
    `there is no prebuilt addon for ${systemName()}. Build it from source (\`npm run build:addon\` in a checkout, needs ` +
    `Rust) and name the file in ${PATH_VARIABLE}, or set METRICS_ENABLED=false to run without metrics.`
  );
}

/** The package of this platform is there, and its file is missing or does not load. Not that of another C library. */
function broken(attempts: readonly Attempt[], installed: readonly string[]): string | undefined {
  const isThere = ({ platform, error }: Attempt) =>
    (error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_FAILED' ||
    (platform !== undefined && installed.includes(platform) && isInPackage());
  const fits = ({ platform }: Attempt) => platform === undefined || fittingNames().includes(platform);
  const attempt = attempts.find((each) => fits(each) && isThere(each));
  if (attempt === undefined) return undefined;
  return `${attempt.place} is there, but its file cannot be loaded. Delete it and install it again on this system.`;
}

/** This file is not in the package any more. */
function bundled(): string | undefined {
  if (isInPackage()) return undefined;
  return (
    'the code runs from a bundle without the addon. Mark @llm-devops/prometheus-metrics as external in the bundler, or ' +
    `copy the file prometheus-metrics.${platformNames()[0]}.node beside the bundle and name it in ${PATH_VARIABLE}.`
  );
}

/** npm wrote the lock file on another platform and, as it sometimes does, listed only that one's package. */
function lockFile(): string | undefined {
  const lists = (text: string, name: string) => text.includes(`node_modules/${packageName(name)}"`);
  for (const folder of ancestors()) {
    for (const name of ['package-lock.json', 'npm-shrinkwrap.json']) {
      const text = readIfPossible(join(folder, name));
      if (text === undefined || !PLATFORMS.some((platform) => lists(text, platform))) continue;
      if (fittingNames().some((platform) => lists(text, platform))) return undefined;
      return (
        `${join(folder, name)} was written on another platform and lacks the package of this one. Delete it together ` +
        'with node_modules and run `npm install`.'
      );
    }
  }
  return undefined;
}

function otherPlatform(installed: readonly string[]): string | undefined {
  if (installed.length === 0) return undefined;
  return (
    `node_modules was installed for ${installed.join(', ')}. Install on the system that runs the program (in a ` +
    'container image: list node_modules in .dockerignore and install there).'
  );
}

/** The platforms whose packages are in a `node_modules` that is searched from here. */
function installedPlatforms(): string[] {
  const found = ancestors().flatMap((folder) => {
    const modules = basename(folder) === 'node_modules' ? folder : join(folder, 'node_modules');
    return namesIn(join(modules, SCOPE)).filter((name) => name.startsWith(PREFIX));
  });
  return [...new Set(found.map((name) => name.slice(PREFIX.length)))].filter((name) => PLATFORMS.includes(name));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readIfPossible(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/** True if this file lies where the package or a checkout has it. */
function isInPackage(): boolean {
  if (typeof __dirname !== 'string' || !['bundle', 'native'].includes(basename(__dirname))) return false;
  const manifest = readIfPossible(join(__dirname, '..', '..', 'package.json'));
  return manifest?.includes('"@llm-devops/prometheus-metrics"') === true;
}

/** The folder of this file, and all above it. */
function ancestors(): string[] {
  const folders = [typeof __dirname === 'string' ? __dirname : process.cwd()];
  for (;;) {
    const parent = dirname(folders[folders.length - 1]);
    if (parent === folders[folders.length - 1]) return folders;
    folders.push(parent);
  }
}
