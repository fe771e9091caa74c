/**
 * Lists which source file of a Rust crate names items of which other one, by its `use` declarations and by paths in its
 * code. A path through a re-export (`crate::registry::Registry`) counts as an import of the file that defines the item.
 * A module's re-exports of its own children are its table of contents and no import. Test modules count like the rest.
 * Knows files, not rooms.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { blank, filesBelow } from './sources.mjs';

const DEFINITION =
  /\b(?:struct|enum|union|trait|type|const|static|fn|mod)\s+(?:mut\s+)?(?<name>[A-Za-z_]\w*)|\bmacro_rules!\s*(?<macro>\w+)/g;
const USE = /\b(?<visibility>pub(?:\([^)]*\))?\s+)?use\s+(?<tree>[^;]+);/g;
const PATH = /(?<![\w:])(?:crate|self|super)(?:::\w+)+/g;

/** A map from each file (path below `root`) to the set of files whose items it names. */
export function rustImports(root, { folder, entry }) {
  const modules = readModules(join(root, folder), entry);
  const imports = new Map();
  for (const module of modules.values()) {
    const found = new Set();
    for (const path of module.paths) {
      const target = resolvePath(modules, module, path);
      if (target !== undefined && target.file !== module.file) found.add(relative(root, target.file));
    }
    imports.set(relative(root, module.file), found);
  }
  return imports;
}

function readModules(folder, entry) {
  const modules = new Map();
  for (const file of filesBelow(folder, ['.rs'])) {
    const name = moduleName(folder, file, entry);
    if (name === undefined) continue;
    modules.set(name, readModule(name, file));
  }
  return modules;
}

/** `registry::family` of `registry/family.rs`; `` of the crate's root file. */
function moduleName(folder, file, entry) {
  if (relative(folder, file) === entry) return '';
  const parts = relative(folder, dirname(file)).split('/').filter(Boolean);
  if (basename(file) !== 'mod.rs') parts.push(basename(file, '.rs'));
  return parts.join('::');
}

function readModule(name, file) {
  const code = blank(readFileSync(file, 'utf8'), { rust: true });
  const defined = new Set([...code.matchAll(DEFINITION)].map(({ groups }) => groups.name ?? groups.macro));
  const exported = [];
  const brought = [];
  const paths = [];
  const inline = inlineModules(code);
  for (const { groups, index } of code.matchAll(USE)) {
    for (const { segments, alias } of expandUse(groups.tree)) {
      const path = { segments: outward(segments, inline, index), alias };
      (groups.visibility ? exported : brought).push(path);
      if (!groups.visibility || !isOwnChild(path.segments)) paths.push(path.segments);
    }
  }
  const rest = code.replace(USE, (use) => ' '.repeat(use.length));
  for (const { 0: path, index } of rest.matchAll(PATH)) paths.push(outward(path.split('::'), inline, index));
  // `family::Family` after `use super::family`.
  for (const { alias, segments } of [...brought, ...exported]) {
    if (alias === '*' || !/^[a-z]/.test(alias)) continue;
    for (const [, after] of rest.matchAll(new RegExp(`(?<![\\w:])${alias}::(\\w+)`, 'g')))
      paths.push([...segments, after]);
  }
  return { name, file, defined, exported, paths };
}

/** `child::Item` or `self::child::Item`: what a module's file re-exports of the files below it. */
function isOwnChild([first]) {
  return first !== 'crate' && first !== 'super';
}

/** Where the blocks of inline modules (`mod tests { … }`) begin and end. */
function inlineModules(code) {
  return [...code.matchAll(/\bmod\s+\w+\s*\{/g)].map(({ 0: text, index }) => {
    let depth = 1;
    let end = index + text.length;
    for (; depth > 0 && end < code.length; end++) {
      if (code[end] === '{') depth++;
      if (code[end] === '}') depth--;
    }
    return { begin: index, end };
  });
}

/** A path as the file's own module would write it: within `mod tests`, the first `super` is the file itself. */
function outward(segments, inline, index) {
  const depth = inline.filter(({ begin, end }) => begin < index && index < end).length;
  const path = [...segments];
  for (let level = 0; level < depth && path[0] === 'super'; level++) path.shift();
  return path.length < segments.length && path[0] !== 'super' ? ['self', ...path] : path;
}

/** Every path of a use tree: `a::{b, c::{self, d as e}}` is `a::b`, `a::c` and `a::c::d` (as `e`). */
function expandUse(tree, before = []) {
  const text = tree.trim();
  const open = text.indexOf('{');
  if (open === -1) {
    const [path, renamed] = text.split(/\s+as\s+/);
    const segments = [...before, ...path.trim().split('::').filter(Boolean)];
    if (segments.at(-1) === 'self' && segments.length > 1) segments.pop();
    return [{ segments, alias: (renamed ?? segments.at(-1)).trim() }];
  }
  const prefix = [
    ...before,
    ...text
      .slice(0, open)
      .split('::')
      .map((part) => part.trim())
      .filter(Boolean),
  ];
  return splitTop(text.slice(open + 1, text.lastIndexOf('}'))).flatMap((part) => expandUse(part, prefix));
}

function splitTop(text) {
  const parts = [''];
  let depth = 0;
  for (const letter of text) {
    if (letter === '{') depth++;
    if (letter === '}') depth--;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** The module that defines what a path names, or `undefined` where that is in another crate. */
function resolvePath(modules, from, path, seen = new Set()) {
  let [first, ...rest] = path;
  let at;
  if (first === 'crate') at = modules.get('');
  else if (first === 'self') at = from;
  else if (first === 'super') at = parentOf(modules, from, path.length > 1);
  else if (modules.has(childName(from.name, first))) at = modules.get(childName(from.name, first));
  else return undefined;
  for (;;) {
    while (rest[0] === 'super') {
      at = parentOf(modules, at);
      rest = rest.slice(1);
    }
    const [next] = rest;
    if (next === undefined || at === undefined) return at;
    const child = modules.get(childName(at.name, next));
    if (child !== undefined) {
      at = child;
      rest = rest.slice(1);
      continue;
    }
    return definitionIn(modules, at, next, seen);
  }
}

function parentOf(modules, module) {
  return modules.get(module.name.split('::').slice(0, -1).join('::'));
}

function childName(name, next) {
  return name === '' ? next : `${name}::${next}`;
}

function definitionIn(modules, module, item, seen) {
  const key = `${module.name} ${item}`;
  if (seen.has(key)) return undefined;
  seen.add(key);
  if (item === '*' || module.defined.has(item)) return module;
  for (const { segments, alias } of module.exported) {
    if (alias === item) return resolvePath(modules, module, segments, seen);
  }
  for (const { segments, alias } of module.exported) {
    if (alias !== '*') continue;
    const target = resolvePath(modules, module, segments.slice(0, -1), seen);
    const found = target && definitionIn(modules, target, item, seen);
    if (found !== undefined) return found;
  }
  return module;
}
