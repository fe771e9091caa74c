/**
 * Reads what the application is: its main file, its module system, and the packages that it uses.
 */
import { readFileSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { read } from '../read';
import { findImports, textOf } from './imports';

/** The application that a process runs. */
export interface Application {
  /** Its main file, or a file name in the working directory. Packages are resolved from here. */
  readonly file: string;
  /** True if its main file is an ES module. */
  readonly isModule: boolean;
  /**
   * The specifiers in its files. If not all of its files could be read, also the names of the packages in `dependencies`.
   */
  readonly imports: ReadonlySet<string>;
}

/** Programs that start others, which inherit `NODE_OPTIONS`. The port is for the application. */
const PACKAGE_MANAGERS = /[\\/](?:npm-cli|npx-cli|npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack)(?:\.[cm]?js)?$/;

export function isPackageManager(main: string | undefined): boolean {
  return main !== undefined && PACKAGE_MANAGERS.test(main);
}

export function readApplication(main: string | undefined): Application {
  const file = resolve(main ?? 'eval.js');
  const manifest = findManifest(dirname(file));
  const { specifiers, isComplete } = findImports(file);
  const declared = isComplete ? [] : Object.keys(dependenciesOf(manifest));
  return { file, isModule: isModule(file, manifest), imports: new Set([...specifiers, ...declared]) };
}

function findManifest(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    const parent = dirname(folder);
    return parent === folder ? undefined : findManifest(parent);
  }
}

function dependenciesOf(manifest: unknown): object {
  const value = read(manifest, 'dependencies');
  return typeof value === 'object' && value !== null ? value : {};
}

function isModule(file: string, manifest: unknown): boolean {
  const extension = extname(file);
  if (extension.startsWith('.m')) return true;
  if (extension.startsWith('.c')) return false;
  const type = read(manifest, 'type');
  if (type !== undefined) return type === 'module';
  // Node.js decides by the syntax too.
  return /^[ \t\ufeff]{0,99}(?:import\s{0,99}["'{*\w]|export\s{0,99}[{*\w])/m.test(textOf(file) ?? '');
}
