/**
 * A registry on this machine that serves our packages and no others.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../support/ports.mjs';
import { folderOf, tool } from './shell.mjs';

export const SCOPE = '@llm-devops';

/** Starts the registry with these packages in it. */
export async function startRegistry(packages) {
  const port = await freePort();
  const folder = folderOf('registry', {
    'config.yaml': `storage: ./storage
packages:
  '**':
    access: $all
    publish: $all
    unpublish: $all
max_body_size: 500mb
log: { type: stdout, format: pretty, level: error }
`,
  });
  const args = [tool('verdaccio', 'bin/verdaccio'), '--config', 'config.yaml', '--listen', `127.0.0.1:${port}`];
  const server = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}/`;
  try {
    await answering(url, server);
    for (const each of packages) await publish(url, each);
  } catch (error) {
    server.kill();
    throw error;
  }
  return { url, close: () => server.kill() };
}

/** What `npm publish` sends. */
async function publish(url, { manifest, tarball }) {
  const bytes = readFileSync(tarball);
  const file = basename(tarball);
  const { name, version } = manifest;
  const dist = {
    integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
    shasum: createHash('sha1').update(bytes).digest('hex'),
    tarball: `${url}${name}/-/${file}`,
  };
  const body = {
    _id: name,
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    _attachments: {
      [file]: { content_type: 'application/octet-stream', data: bytes.toString('base64'), length: bytes.length },
    },
  };
  const path = `${url}${name.replace('/', '%2f')}`;
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(path, { method: 'PUT', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`expected that ${name} is published, received ${await response.text()}`);
}

async function answering(url, server) {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`expected a registry at ${url}, but it ended`);
    const response = await fetch(`${url}-/ping`).catch(() => null);
    if (response?.ok) return;
    await setTimeout(100);
  }
  throw new Error(`expected a registry at ${url}, but it does not answer`);
}
