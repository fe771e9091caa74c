// The check that a release's tag, its manifests and its changelog agree.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { notesOf, obstacles, versionsIn } from '../../.ci/release-version.mjs';

const MANIFESTS = {
  'package.json': '{"version":"1.2.3"}',
  'npm/linux-x64-gnu/package.json': '{"version":"1.2.3"}',
  'Cargo.toml': '[workspace]\n\n[workspace.package]\nversion = "1.2.3"\n\n[package]\nversion.workspace = true\n',
  'CHANGELOG.md':
    '# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2027-01-05\n\n### Added\n\n- A thing.\n\n## 1.2.2\n\nOld.\n',
};

function checkout(t, changed) {
  const root = mkdtempSync(join(tmpdir(), 'release-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries({ ...MANIFESTS, ...changed })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('a tag that agrees with everything can be released', (t) => {
  t.deepEqual(obstacles(checkout(t), 'v1.2.3'), []);
});

test('every manifest with another version is named', (t) => {
  const root = checkout(t, {
    'npm/linux-x64-gnu/package.json': '{"version":"1.2.2"}',
    'Cargo.toml': '[workspace.package]\nedition = "2024"\n',
  });
  t.deepEqual(obstacles(root, 'v1.2.3'), [
    'npm/linux-x64-gnu/package.json has version 1.2.2, but the tag is v1.2.3',
    'Cargo.toml has version undefined, but the tag is v1.2.3',
  ]);
});

test('a version without a section in the changelog is refused', (t) => {
  t.deepEqual(obstacles(checkout(t, { 'CHANGELOG.md': '# Changelog\n\n## Unreleased\n\n- A thing.\n' }), 'v1.2.3'), [
    'CHANGELOG.md has no section "## 1.2.3" with text',
  ]);
  t.deepEqual(obstacles(checkout(t, { 'CHANGELOG.md': '# Changelog\n\n## 1.2.3\n\n## 1.2.2\n\nOld.\n' }), 'v1.2.3'), [
    'CHANGELOG.md has no section "## 1.2.3" with text',
  ]);
});

test('tags of another form are refused', (t) => {
  for (const tag of ['1.2.3', 'v1.2', 'v1.2.3 ', 'main', '(none)']) {
    t.deepEqual(obstacles(checkout(t), tag), [`Expected a tag like v1.2.3 but received ${tag}`]);
  }
});

test('the notes are the text of the section', (t) => {
  t.is(notesOf(MANIFESTS['CHANGELOG.md'], '1.2.3'), '### Added\n\n- A thing.');
  t.is(notesOf('## [1.2.3] - 2027-01-05\n\nText.\n', '1.2.3'), 'Text.');
  t.is(notesOf(MANIFESTS['CHANGELOG.md'], '1.2'), undefined);
});

test('all manifests of this repository have one version', (t) => {
  const versions = versionsIn(fileURLToPath(new URL('../..', import.meta.url)));
  t.is(versions.size, 10);
  t.is(new Set(versions.values()).size, 1, JSON.stringify([...versions]));
});
