/**
 * Reads what the application is: its main file, its module system, and the packages that it uses.
 */
import { readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { read } from '../read';
import { findImports, isFile, textOf } from './imports';

/** The application that a process runs. */
export interface Application {
  /** Its main file, or a file name in the working directory. Packages are resolved from here. */
  readonly file: string;
  /** True if its main file is an ES module. */
  readonly isModule: boolean;
  /**
   * The specifiers in its files. If there may be more, also the names of the packages in `dependencies`.
   */
  readonly imports: ReadonlySet<string>;
}

/**
 * Programs that start others, which inherit `NODE_OPTIONS`. The port is for the application. An application may have such a
 * name too, so the folder counts: commands without ending, files of the package, Yarn's releases, and what Corepack has loaded.
 */
const PACKAGE_MANAGERS = [
  /\/\.?bin\/(?:p?np[mx]|yarn(?:pkg)?|corepack)$/,
  /\/(?:p?npm|yarn(?:-[\w.-]+)?|corepack)\/(?:[\w.-]+\/)?(?:bin|dist|lib)\/(?:p?np[mx](?:-cli|-prefix)?|yarn(?:pkg)?|corepack)\.[cm]?js$/,
  /\/(?:\.yarn\/releases|corepack(?:\/v\d+)?\/(?:p?npm|yarn)\/.+)\/(?:p?np[mx]|yarn)[\w.-]*\.[cm]?js$/,
];

export function isPackageManager(main: string | undefined): boolean {
  const path = (main ?? '').replaceAll('\\', '/');
  return PACKAGE_MANAGERS.some((pattern) => pattern.test(path));
}

export function readApplication(main: string | undefined): Application {
  const file = mainFile(resolve(main ?? 'eval.js'));
  const manifest = findManifest(dirname(file));
  const { specifiers, isComplete } = findImports(file);
  const known = new Set(DEPENDENCIES.flatMap((list) => namesIn(manifest, list)));
  // `#alias`, `~/file`, `@/file`, `/file` and `file:` are in no list.
  const isKnown = (specifier: string): boolean => isBuiltin(specifier) || known.has(packageOf(specifier));
  // Text that only looks like an import mostly has blanks.
  const isAll = isComplete && [...specifiers].every((each) => /\s/.test(each) || isKnown(each));
  const declared = isAll ? [] : namesIn(manifest, 'dependencies');
  return { file, isModule: isModule(file, manifest), imports: new Set([...specifiers, ...declared]) };
}

/** The lists of packages in package.json. */
const DEPENDENCIES = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

/** The package of a specifier, a path or a URL. */
export function packageOf(id: string): string {
  const from = Math.max(id.lastIndexOf('node_modules/'), id.lastIndexOf('node_modules\\'));
  const rest = from < 0 ? id : id.slice(from + 'node_modules/'.length);
  const [first = '', second = ''] = rest.split(/[\\/]/, 2);
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** Node.js starts a folder, or a file whose ending is left out, as `require()` finds it. */
function mainFile(path: string): string {
  if (isFile(path)) return path;
  try {
    return createRequire(path).resolve(path);
  } catch {
    return path;
  }
}

function findManifest(folder: string): unknown {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    const parent = dirname(folder);
    return parent === folder ? undefined : findManifest(parent);
  }
}

function namesIn(manifest: unknown, list: string): string[] {
  const value = read(manifest, list);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
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
