// The examples that print and end: started by their own command, and their whole output.

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { text } from '../support/exposition.mjs';
import { commandsOf, printedBy } from './support/started.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(createRequire(import.meta.url).resolve('typescript/package.json'), '..', 'bin', 'tsc');

test('basic-usage prints a counter, a gauge, a histogram and a timer', async (t) => {
  const printed = await printedBy('examples/basic-usage.ts');
  // The timer's value differs from run to run: its sum and its buckets are left out, its count is not.
  const lines = printed.split('\n').filter((line) => !/_(sum|bucket)\{.*model="echo"/.test(line));
  t.is(
    `${lines.join('\n')}`,
    text(
      '# HELP requests_total Requests answered',
      '# TYPE requests_total counter',
      'requests_total{model="gpt-4o-mini",status="success"} 1',
      'requests_total{model="gpt-4o-mini",status="error"} 2',
      '',
      '# HELP queue_length Requests that wait',
      '# TYPE queue_length gauge',
      'queue_length 4',
      '',
      '# HELP request_duration_seconds Time from the request to its answer',
      '# TYPE request_duration_seconds histogram',
      'request_duration_seconds_bucket{le="0.1",model="gpt-4o-mini"} 0',
      'request_duration_seconds_bucket{le="0.5",model="gpt-4o-mini"} 1',
      'request_duration_seconds_bucket{le="1",model="gpt-4o-mini"} 2',
      'request_duration_seconds_bucket{le="5",model="gpt-4o-mini"} 2',
      'request_duration_seconds_bucket{le="+Inf",model="gpt-4o-mini"} 2',
      'request_duration_seconds_sum{model="gpt-4o-mini"} 1',
      'request_duration_seconds_count{model="gpt-4o-mini"} 2',
      'request_duration_seconds_count{model="echo"} 1',
      '',
    ),
  );
});

test('worker-threads prints the sums of all threads, which have ended', async (t) => {
  t.is(
    await printedBy('examples/worker-threads.mjs'),
    text(
      '# HELP jobs_total Jobs done',
      '# TYPE jobs_total counter',
      'jobs_total{queue="mail"} 2000',
      'jobs_total{queue="images"} 1000',
      'jobs_total{queue="main"} 1',
      '',
      '# HELP job_size_bytes Sizes of jobs',
      '# TYPE job_size_bytes histogram',
      'job_size_bytes_bucket{le="100"} 1200',
      'job_size_bytes_bucket{le="1000"} 3000',
      'job_size_bytes_bucket{le="+Inf"} 3000',
      'job_size_bytes_sum 1248000',
      'job_size_bytes_count 3000',
      '',
    ),
  );
});

test('the examples have correct types', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'examples')]);
  t.is(stdout, '');
});

test('each example fits on a screen, gives its command, and is listed in the README of the folder', (t) => {
  const readme = readFileSync(join(root, 'examples/README.md'), 'utf8');
  const files = readdirSync(join(root, 'examples'), { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.m?[jt]s$/.test(file) && !file.startsWith('llm-gateway/'));
  t.true(files.length >= 8);
  for (const file of files) {
    const lines = readFileSync(join(root, 'examples', file), 'utf8')
      .trimEnd()
      .split('\n');
    t.true(lines.length <= 45, `${file} has ${lines.length} lines; 45 fit on a screen`);
    t.true(readme.includes(`](${file})`), `examples/README.md does not link to ${file}`);
    // The second route of Next.js runs with the command of the first.
    if (file !== 'nextjs/app/ask/route.ts') {
      const [command] = commandsOf(`examples/${file}`);
      t.truthy(command, `${file} gives no command`);
      t.true(readme.includes(`\`${command}\``), `examples/README.md does not give the command of ${file}`);
    }
  }
});
