/**
 * Writes the notices of third parties for a platform: the licences of all crates that are in the addon, from their own
 * files. Crates with the same text share it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const BINDING = 'prometheus-metrics-binding';
const LICENCE_FILE = /^(licen[cs]e|copying|notice|copyright)/i;

/** The text of the notices for a Rust target. */
export function notices(target) {
  const crates = cratesOf(target);
  const byText = new Map();
  for (const crate of crates) {
    for (const text of textsOf(crate)) byText.set(text, [...(byText.get(text) ?? []), crate]);
  }
  const rule = '='.repeat(80);
  const sections = [...byText].map(([text, users]) => [rule, users.map(describe).join('\n'), '', text].join('\n'));
  return [
    'The native addon of @llm-devops/prometheus-metrics contains the following crates, and the Rust standard library',
    '(MIT OR Apache-2.0, copyright The Rust Project contributors).',
    '',
    crates.map(describe).join('\n'),
    '',
    ...sections,
    '',
  ].join('\n');
}

/** The crates of third parties that are linked into the addon, by name. */
export function cratesOf(target) {
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', target];
  const { status, stdout, stderr } = spawnSync('cargo', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`cargo metadata failed: ${stderr}`);
  const { packages, resolve } = JSON.parse(stdout);
  const byId = new Map(packages.map((crate) => [crate.id, crate]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const linked = new Set();
  const visit = (id) => {
    const crate = byId.get(id);
    // A macro runs in the compiler, and so do its dependencies.
    if (linked.has(id) || crate.targets.some(({ kind }) => kind.includes('proc-macro'))) return;
    linked.add(id);
    // A dependency without a kind is neither for building nor for tests.
    const isLinked = ({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null);
    for (const dependency of nodes.get(id).deps) if (isLinked(dependency)) visit(dependency.pkg);
  };
  visit(packages.find(({ name }) => name === BINDING).id);
  // Those of this repository have no source.
  const crates = [...linked].map((id) => byId.get(id)).filter(({ source }) => source !== null);
  return crates.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function describe({ name, version, license, repository }) {
  return [`${name} ${version}`, license ?? 'see its licence file', repository ?? ''].join(', ').replace(/, $/, '');
}

/** The licence files of a crate; without any, its licence's name and its authors. */
function textsOf({ name, license, authors, license_file, manifest_path }) {
  const folder = dirname(manifest_path);
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const names = files.map((entry) => entry.name).filter((file) => LICENCE_FILE.test(file));
  if (license_file && !names.includes(license_file)) names.push(license_file);
  if (names.length > 0) return names.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (!license) throw new Error(`Expected a licence for the crate ${name} but found neither a name nor a file`);
  // MIT's terms are in this package's own file; other terms would be missing.
  if (!license.includes('MIT')) throw new Error(`Expected a licence file in the crate ${name}, which is ${license}`);
  const who = authors.join(', ') || 'its authors';
  return [`Copyright ${who}. Licensed under MIT: the terms are those of the file LICENSE beside this one.`];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(notices(process.argv[2]));
