/**
 * `node .ci/release-version.mjs v1.2.3` fails unless every manifest has this version and CHANGELOG.md has a section for
 * it. With `--notes` it prints that section. The release workflow calls it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version of every manifest below `root`, by the manifest's path. */
export function versionsIn(root) {
  const read = (path) => readFileSync(join(root, path), 'utf8');
  const packages = ['package.json', ...readdirSync(join(root, 'npm')).map((name) => `npm/${name}/package.json`)];
  const versions = new Map(packages.map((path) => [path, JSON.parse(read(path)).version]));
  const [, workspace] = read('Cargo.toml').split('[workspace.package]');
  versions.set('Cargo.toml', workspace?.match(/^version = "([^"]+)"/m)?.[1]);
  return versions;
}

/** The text of a version's section in a changelog, or `undefined`. */
export function notesOf(changelog, version) {
  const section = changelog
    .split(/^## /m)
    .slice(1)
    .find((text) => /^\[?([^\s\]]+)/.exec(text)?.[1] === version);
  return section?.slice(section.indexOf('\n')).trim();
}

/** One sentence for everything that keeps `tag` from being released. */
export function obstacles(root, tag) {
  const version = /^v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(tag)?.[1];
  if (version === undefined) return [`Expected a tag like v1.2.3 but received ${tag}`];
  const wrong = [...versionsIn(root)]
    .filter(([, found]) => found !== version)
    .map(([path, found]) => `${path} has version ${found}, but the tag is ${tag}`);
  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  if (!notesOf(changelog, version)) wrong.push(`CHANGELOG.md has no section "## ${version}" with text`);
  return wrong;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const [tag, option] = process.argv.slice(2);
  const found = obstacles(root, tag ?? '(none)');
  for (const sentence of found) console.error(`✗ ${sentence}`);
  if (found.length > 0) process.exitCode = 1;
  else if (option === '--notes') console.log(notesOf(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'), tag.slice(1)));
}
