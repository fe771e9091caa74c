/**
 * Next.js with both of its bundlers: a route handler, `instrumentation.ts` and another route record in one registry, in
 * the standalone build.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { installFull } from '../packed.mjs';
import { application, move } from '../program.mjs';
import { run } from '../shell.mjs';
import { check } from '../tally.mjs';

const APPLICATION = {
  'package-lock.json': { name: 'application', version: '1.0.0', lockfileVersion: 3, requires: true, packages: {} },
  'next.config.mjs': `export default {
  output: 'standalone',
  serverExternalPackages: ['@llm-devops/prometheus-metrics'],
};
`,
  'app/layout.tsx': `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
  'app/page.tsx': `export default function Page() {
  return <p>hello</p>;
}
`,
  'app/metrics/route.ts': `import { createFetchHandler } from '@llm-devops/prometheus-metrics';

const metrics = createFetchHandler({ selfMetrics: false });

export const dynamic = 'force-dynamic';
export const GET = (request: Request) => metrics(request);
export const HEAD = GET;
`,
  'app/work/route.ts': `import { register } from '@llm-devops/prometheus-metrics';

const jobs = register.counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['queue'] });

export const dynamic = 'force-dynamic';
export const GET = () => {
  jobs.inc({ queue: 'mail' }, 42);
  return new Response('done');
};
`,
  'instrumentation.ts': `export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const metrics = await import('@llm-devops/prometheus-metrics');
  metrics.register.counter({ name: 'starts_total', help: 'Starts' }).inc();
}
`,
};

const EXPECTED = `# HELP starts_total Starts
# TYPE starts_total counter
starts_total 1

# HELP jobs_total Jobs
# TYPE jobs_total counter
jobs_total{queue="mail"} 42
`;

export async function checkNext() {
  for (const bundler of ['turbopack', 'webpack']) {
    await check(`next build --${bundler}, standalone`, async () => {
      const folder = application(APPLICATION);
      installFull(folder);
      const env = { NEXT_TELEMETRY_DISABLED: '1' };
      await run(folder, [process.execPath, 'node_modules/next/dist/bin/next', 'build', `--${bundler}`], { env });
      const place = move(folder, '.next/standalone');
      await scrapeServer(place);
    });
  }
}

/** Starts the server, calls its routes, and stops it. */
async function scrapeServer(place) {
  const port = await freePort();
  const env = { ...process.env, PORT: `${port}`, HOSTNAME: '127.0.0.1' };
  const server = spawn(process.execPath, ['server.js'], { cwd: place, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      log += text;
    });
  }
  try {
    await answering(`http://127.0.0.1:${port}/`, server);
    await fetch(`http://127.0.0.1:${port}/work`);
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    const received = await answer.text();
    if (received !== EXPECTED) throw new Error(`expected\n${EXPECTED}\nreceived ${answer.status}\n${received}`);
  } catch (error) {
    throw new Error(`${error.message}\nthe server wrote\n${log}`);
  } finally {
    server.kill();
  }
}

/** Waits until a server accepts connections. */
async function answering(url, server) {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`expected a server but it exited with ${server.exitCode}`);
    try {
      await fetch(url);
      return;
    } catch {
      await setTimeout(200);
    }
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
