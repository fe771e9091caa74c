// Where expositions come from: files, the standard input, and servers of every kind.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startExporter } from '@llm-devops/prometheus-metrics';
import test from 'ava';
import { certificates } from '../http/exporter/support/certificates.mjs';
import { OPENMETRICS, run, serve, serveText, TEXT } from './support/program.mjs';

const GOOD = '# HELP jobs_waiting Jobs that wait.\n# TYPE jobs_waiting gauge\njobs_waiting 3\n';
const SUMMARY = /^no findings: 1 metric, 1 series, 77 bytes/;

async function file(t, content) {
  const folder = await mkdtemp(join(tmpdir(), 'cli-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'metrics.txt');
  await writeFile(path, content);
  return path;
}

/** The message of a source that cannot be read. */
async function refused(t, args, options) {
  const { code, stdout, stderr } = await run(['check', ...args], options);
  t.deepEqual({ code, stdout }, { code: 2, stdout: '' }, args.join(' '));
  t.notRegex(stderr, /\n +at /, 'no stack');
  return stderr;
}

test('a file, the standard input and a URL give one result', async (t) => {
  const results = [
    await run(['check', await file(t, GOOD)]),
    await run(['check', '-'], { input: GOOD }),
    await run(['check', await serveText(t, GOOD)]),
  ];
  for (const { code, stdout, stderr } of results) {
    t.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    t.regex(stdout, SUMMARY);
  }
  t.regex(results[2].stdout, / in \d+\.\d{3} s\n$/);
});

test('the request is that of a scraper: formats, gzip, headers, credentials', async (t) => {
  const seen = [];
  const url = await serve(t, ({ headers }, response) => {
    seen.push(headers);
    const body = headers.accept.startsWith('application/openmetrics-text') ? `${GOOD}# EOF\n` : GOOD;
    response.setHeader('content-type', body === GOOD ? TEXT : OPENMETRICS);
    response.setHeader('content-encoding', 'gzip').end(gzipSync(body));
  });
  t.regex((await run(['check', url])).stdout, /1 metric, 1 series, 83 bytes/);
  t.regex((await run(['check', '--format', 'text', url])).stdout, SUMMARY);
  t.is((await run(['check', '-H', 'Authorization: Bearer x', '-H', 'X-Scope:a', url])).code, 0);
  t.is((await run(['check', url.replace('//', '//us%20er:p%40ss@')])).code, 0);
  t.is(seen[0]['accept-encoding'], 'gzip');
  t.like(seen[2], { authorization: 'Bearer x', 'x-scope': 'a' });
  t.is(seen[3].authorization, `Basic ${Buffer.from('us er:p@ss').toString('base64')}`);
});

test('redirects are followed, and another server does not see the credentials', async (t) => {
  const seen = [];
  const other = await serve(t, ({ headers }, response) => {
    seen.push(headers);
    response.setHeader('content-type', TEXT).end(GOOD);
  });
  const url = await serve(t, ({ url: path, headers }, response) => {
    if (path === '/here') seen.push(headers);
    const to = { '/a': '/here', '/b': `${other}/`, '/loop': '/loop', '/file': 'file:///etc/passwd' }[path];
    if (to === undefined) response.setHeader('content-type', TEXT).end(GOOD);
    else response.writeHead(302, { location: to }).end();
  });
  const secret = ['-H', 'X-Secret: s'];
  const named = url.replace('//', '//user:pass@');
  t.is((await run(['check', ...secret, `${named}/a`])).code, 0);
  t.is((await run(['check', ...secret, `${named}/b`])).code, 0);
  t.deepEqual(
    seen.map((headers) => [headers['x-secret'], headers.authorization !== undefined]),
    [
      ['s', true],
      [undefined, false],
    ],
  );
  t.regex(await refused(t, [`${url}/loop`]), /more than 5 redirects/);
  t.regex(await refused(t, [`${url}/file`]), /a redirect to file:/);
});

test('unreadable sources end with 2 and a reason, without the password', async (t) => {
  const url = await serve(t, ({ url: path }, response) => {
    const answers = {
      '/500': () => response.writeHead(500).end('oops'),
      '/colours': () => response.socket.end('HTTP/1.1 500 \u009b31mred\r\n\r\n', 'latin1'),
      '/401': () => response.writeHead(401).end(),
      '/html': () => response.setHeader('content-type', 'text/html').end('<!doctype html><title>Login</title>'),
      '/json': () => response.setHeader('content-type', 'application/json').end('{}'),
      '/brotli': () => response.setHeader('content-type', TEXT).setHeader('content-encoding', 'br').end('x'),
      '/truncated': () =>
        response
          .writeHead(200, { 'content-type': TEXT, 'content-encoding': 'gzip' })
          .end(gzipSync(GOOD).subarray(0, -9)),
      '/no-gzip': () => response.writeHead(200, { 'content-type': TEXT, 'content-encoding': 'gzip' }).end(GOOD),
      '/hangup': () => {
        response.writeHead(200, { 'content-type': TEXT, 'content-length': 100 }).write('a');
        setTimeout(() => response.destroy(), 50);
      },
      '/slow': () => response.writeHead(200, { 'content-type': TEXT }).write('# HELP'),
      '/bomb': () =>
        response
          .writeHead(200, { 'content-type': TEXT, 'content-encoding': 'gzip' })
          .end(gzipSync(Buffer.alloc(40_000_000, '#'))),
    };
    answers[path]?.();
  });
  const named = url.replace('//', '//user:pass@');
  const reasons = {
    '/500': /HTTP 500 Internal Server Error\n$/,
    '/colours': /HTTP 500 \\u\{9b\}31mred\n$/,
    '/401': /HTTP 401 Unauthorized; give credentials/,
    '/html': /received text\/html; the path is often \/metrics/,
    '/json': /received application\/json/,
    '/brotli': /unknown content encoding br/,
    '/truncated': /unexpected end of file/,
    '/no-gzip': /incorrect header check/,
    '/hangup': /aborted/,
    '/slow': /no complete answer within 0\.3 s/,
    '/silent': /no complete answer within 0\.3 s/,
    '/bomb': /more than 33554432 bytes/,
  };
  for (const [path, reason] of Object.entries(reasons)) {
    const isSlow = path === '/slow' || path === '/silent';
    const message = await refused(t, [`${named}${path}`, ...(isSlow ? ['--timeout', '0.3'] : [])]);
    t.regex(message, reason);
    t.true(message.startsWith(`prometheus-metrics: Expected to scrape ${url}${path} but failed: `), message);
  }
  t.regex(await refused(t, ['http://127.0.0.1:9/metrics']), /ECONNREFUSED/);
  t.regex(await refused(t, ['/nowhere/metrics']), /ENOENT/);
  t.regex(await refused(t, ['localhost:9464/metrics']), /for a URL, write http:\/\/localhost:9464\/metrics/);
  t.regex(await refused(t, [tmpdir()]), /EISDIR/);
  t.regex(await refused(t, [await file(t, Buffer.alloc(50_000_000, 'a'))]), /more than 33554432 bytes \(--max-bytes\)/);
  t.regex(await refused(t, ['-', '--max-bytes', '10'], { input: GOOD }), /more than 10 bytes/);
});

test('other commands refuse an invalid exposition with its line', async (t) => {
  const { code, stdout, stderr } = await run(['docs', '-'], { input: `${GOOD}a{b="c} 1\n` });
  t.deepEqual({ code, stdout }, { code: 2, stdout: '' });
  t.regex(stderr, /^prometheus-metrics: stdin: .* \(line 4, column \d+\)\n/);
});

test('certificates are checked, unless --insecure or the authority is given', async (t) => {
  const made = await certificates(t);
  const files = { tlsCertFile: made.path('server.crt'), tlsKeyFile: made.path('server.key') };
  const exporter = await startExporter({ host: '127.0.0.1', port: 0, ...files });
  t.teardown(() => exporter.close());
  const url = `https://127.0.0.1:${exporter.port}/metrics`;
  t.regex(await refused(t, [url]), /certificate/);
  t.is((await run(['docs', '--insecure', url])).code, 0);
  t.is((await run(['docs', url], { env: { NODE_EXTRA_CA_CERTS: made.path('ca.crt') } })).code, 0);
});
