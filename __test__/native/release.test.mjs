// The scripts that make the published packages: what they refuse, and what they write.

import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { faultsOf as binaryFaults, inspect } from '../../.ci/release-binary.mjs';
import { faultsOf as manifestFaults, platformOf, platformPackages } from '../../.ci/release-manifest.mjs';
import { cratesOf, notices } from '../../.ci/release-notices.mjs';
import { ADDON, addonBytes, NAME } from './support/installed.mjs';

const root = new URL('../../', import.meta.url);
const readJson = async (path) => JSON.parse(await readFile(new URL(path, root), 'utf8'));

const PLATFORMS = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
  'win32-arm64-msvc',
];

test('a manifest names every platform package at its own version, and nothing else', async (t) => {
  const manifest = await readJson('package.json');
  t.deepEqual(Object.keys(platformPackages(manifest)), PLATFORMS);
  const names = PLATFORMS.map((platform) => `${NAME}-${platform}`);
  t.deepEqual(
    manifestFaults(manifest),
    names.map((name) => `Expected ${name} at ${manifest.version} but received none`),
  );
  const optionalDependencies = Object.fromEntries(names.map((name) => [name, manifest.version]));
  t.deepEqual(manifestFaults({ ...manifest, optionalDependencies }), []);
  optionalDependencies[names[0]] = '9.9.9';
  optionalDependencies.other = '1.0.0';
  t.deepEqual(manifestFaults({ ...manifest, optionalDependencies }), [
    `Expected ${names[0]} at ${manifest.version} but received 9.9.9`,
    'Expected platform packages only but received other',
  ]);
});

test('npm publish in the checkout is refused, and told what to do', async (t) => {
  const manifest = await readJson('package.json');
  t.is(manifest.scripts.prepublishOnly, 'node .ci/release-manifest.mjs');
  const script = fileURLToPath(new URL('.ci/release-manifest.mjs', root));
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  t.is(status, 1);
  t.regex(stderr, /^The optionalDependencies of package.json are not those of a release:\n/);
  t.regex(stderr, /\nRun `npm run build:packages` and publish the folders that it names.\n$/);
});

test('each platform package is public, and says where it comes from and where it runs', async (t) => {
  const manifest = await readJson('package.json');
  const { version, license, napi, author, homepage, bugs, publishConfig, repository } = manifest;
  t.deepEqual(publishConfig, { access: 'public', provenance: true });
  const address = 'https://github.com/llm-devops/prometheus-metrics';
  t.deepEqual([homepage, bugs, repository.url], [`${address}#readme`, `${address}/issues`, `git+${address}.git`]);
  for (const target of napi.targets) {
    const platform = platformOf(target);
    const [os, cpu, abi] = platform.split('-');
    const file = `prometheus-metrics.${platform}.node`;
    const { description, keywords, engines, ...fields } = await readJson(`npm/${platform}/package.json`);
    t.deepEqual(fields, {
      ...{ name: `${NAME}-${platform}`, version, license, author, homepage, bugs, publishConfig, main: file },
      repository: { ...repository, directory: `npm/${platform}` },
      files: [file, 'THIRD-PARTY-NOTICES'],
      ...{ os: [os], cpu: [cpu] },
      ...(os === 'linux' ? { libc: [abi === 'musl' ? 'musl' : 'glibc'] } : {}),
    });
  }
});

if (process.platform === 'linux') {
  test('the needed glibc and the flags of an addon are those that readelf shows', async (t) => {
    const found = inspect(await addonBytes());
    const shown = spawnSync('readelf', ['-VdW', ADDON], { encoding: 'utf8' }).stdout;
    const versions = [...shown.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => major * 1000 + Number(minor));
    const [major, minor] = (found.glibc ?? '0.0').split('.').map(Number);
    t.is(major * 1000 + minor, Math.max(0, ...versions));
    t.is(found.isNeverUnloaded, /FLAGS_1\).*NODELETE/.test(shown));
    t.true(found.isNeverUnloaded);
  });

  test('an addon without the flag NODELETE is found', async (t) => {
    const bytes = await addonBytes();
    // The entry of the dynamic section: the tag, then the flags NOW and NODELETE.
    const entry = Buffer.from('fbffff6f00000000', 'hex');
    const at = bytes.indexOf(entry);
    bytes[at + entry.length] &= ~8;
    t.false(inspect(bytes).isNeverUnloaded);
  });
}

test('what is wrong with an addon is said', (t) => {
  const right = { glibc: '2.17', isNeverUnloaded: true, bytes: 4_000_000 };
  t.deepEqual(binaryFaults(right), []);
  t.deepEqual(binaryFaults({ ...right, glibc: undefined }), []);
  t.deepEqual(binaryFaults({ ...right, glibc: '2.2.5' }), []);
  t.deepEqual(binaryFaults({ glibc: '2.18', isNeverUnloaded: false, bytes: 4_000_001 }), [
    'Expected symbols of glibc 2.17 at most but received 2.18',
    'Expected the linker flag NODELETE but it is missing',
    'Expected at most 4000000 bytes but received 4000001',
  ]);
  t.throws(() => inspect(Buffer.from('MZ, which is another format')), { message: /64-bit little-endian ELF/ });
});

test('the notices have the licence of every linked crate, and of no other', (t) => {
  const target = 'x86_64-unknown-linux-gnu';
  const crates = cratesOf(target).map(({ name }) => name);
  for (const name of ['napi', 'ring', 'rustls', 'tokio', 'zlib-rs']) t.true(crates.includes(name), name);
  // Macros, tools of the build, tests, other systems.
  for (const name of ['syn', 'napi-derive', 'napi-build', 'cc', 'proptest', 'windows-sys']) {
    t.false(crates.includes(name), name);
  }
  const sections = notices(target)
    .split(`${'='.repeat(80)}\n`)
    .slice(1);
  for (const { name, version } of cratesOf(target)) {
    const own = sections.filter((section) => section.split('\n\n')[0].includes(`${name} ${version}, `));
    t.true(
      own.some((section) => section.length > 150),
      name,
    );
  }
  t.regex(notices(target), /Permission is hereby granted, free of charge/);
  t.regex(notices(target), /Apache License\s+Version 2\.0, January 2004/);
});
