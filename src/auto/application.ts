/**
 * Reads what the application is: its folder, its module system, and the packages that its package.json declares.
 */
import { readFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { read } from '../read';

/** The application that a process runs. */
export interface Application {
  /** Its main file, or a file name in the working directory. Packages are resolved from here. */
  readonly file: string;
  /** True if its main file is an ES module. */
  readonly isModule: boolean;
  /** The names of packages in `dependencies` and `optionalDependencies`. */
  readonly declared: ReadonlySet<string>;
}

/** Programs that start others, which inherit `NODE_OPTIONS`. The port is for the application. */
const PACKAGE_MANAGERS = /[\\/](?:npm-cli|npx-cli|npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack)(?:\.[cm]?js)?$/;

export function isPackageManager(main: string | undefined): boolean {
  return main !== undefined && PACKAGE_MANAGERS.test(main);
}

export function readApplication(main: string | undefined): Application {
  const file = resolve(main ?? 'eval.js');
  const manifest = findManifest(dirname(file));
  const declared = ['dependencies', 'optionalDependencies'].flatMap((key) => Object.keys(objectAt(manifest, key)));
  return { file, isModule: isModule(file, manifest), declared: new Set(declared) };
}

function findManifest(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    const parent = dirname(folder);
    return parent === folder ? undefined : findManifest(parent);
  }
}

function objectAt(manifest: unknown, key: string): object {
  const value = read(manifest, key);
  return typeof value === 'object' && value !== null ? value : {};
}

function isModule(file: string, manifest: unknown): boolean {
  const extension = extname(file);
  if (extension.startsWith('.m')) return true;
  if (extension.startsWith('.c')) return false;
  const type = read(manifest, 'type');
  if (type !== undefined) return type === 'module';
  // Node.js decides by the syntax too.
  try {
    return /^\s*(?:import\s*["'{*\w]|export\s*[{*\w])/m.test(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
}
