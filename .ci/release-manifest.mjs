/**
 * Checks that a package.json of the main package names every platform package at its own version. npm runs it before
 * `npm publish` in the checkout, where it refuses: the packages to publish are those that `npm run build:packages` makes.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The platform of a Rust target, as the packages are named. */
export function platformOf(target) {
  const [cpu, , system, abi] = target.split('-');
  const arch = { x86_64: 'x64', aarch64: 'arm64' }[cpu];
  return [{ windows: 'win32' }[system] ?? system, arch, abi].filter(Boolean).join('-');
}

/** The platform packages of a manifest, by platform. */
export function platformPackages({ name, napi }) {
  return Object.fromEntries(napi.targets.map((target) => [platformOf(target), `${name}-${platformOf(target)}`]));
}

/** What is wrong with the optional dependencies, one sentence each. */
export function faultsOf(manifest) {
  const { version, optionalDependencies = {} } = manifest;
  const wanted = Object.values(platformPackages(manifest));
  const wrong = wanted.filter((name) => optionalDependencies[name] !== version);
  const unknown = Object.keys(optionalDependencies).filter((name) => !wanted.includes(name));
  return [
    ...wrong.map((name) => `Expected ${name} at ${version} but received ${optionalDependencies[name] ?? 'none'}`),
    ...unknown.map((name) => `Expected platform packages only but received ${name}`),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const faults = faultsOf(manifest);
  if (faults.length > 0) {
    console.error(`The optionalDependencies of package.json are not those of a release:\n  ${faults.join('\n  ')}`);
    console.error('Run `npm run build:packages` and publish the folders that it names.');
    process.exit(1);
  }
}
