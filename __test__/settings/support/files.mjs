// Files that settings may name: made once, removed when the process ends.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'settings-files-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

export const token = join(folder, 'token');
writeFileSync(token, 'a-token\n');
export const web = join(folder, 'web.yml');
writeFileSync(web, 'http_server_config:\n  http2: true\n');
export const key = join(folder, 'tls.key');
export const certificate = join(folder, 'tls.crt');
const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const files = ['-keyout', key, '-out', certificate];
execFileSync('openssl', ['req', '-x509', ...curve, ...files, '-subj', '/CN=localhost', '-days', '2'], {
  stdio: 'pipe',
});
