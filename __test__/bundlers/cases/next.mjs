/**
 * Next.js with both of its bundlers: `instrumentation.ts` and a route record in the registry that the route handler shows.
 */
import { spawn } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../../support/ports.mjs';
import { check } from '../../support/tally.mjs';
import { installFull } from '../packed.mjs';
import { block } from '../page.mjs';
import { application as makeApplication, move } from '../program.mjs';
import { run } from '../shell.mjs';

/** The application of the pages, as TypeScript, with a route that records. */
const application = (config) => ({
  'package-lock.json': { name: 'application', version: '1.0.0', lockfileVersion: 3, requires: true, packages: {} },
  'next.config.mjs': config,
  'app/layout.tsx': `export default function Layout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
  'app/page.tsx': `export default function Page() {
  return <p>hello</p>;
}
`,
  'app/metrics/route.js': block('force-dynamic', 'frameworks'),
  'app/work/route.ts': `import { register } from '@llm-devops/prometheus-metrics';

const jobs = register.counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['queue'] });

export const dynamic = 'force-dynamic';
export const GET = () => {
  jobs.inc({ queue: 'mail' }, 42);
  return new Response('done');
};
`,
  'instrumentation.ts': block('// instrumentation.js', 'frameworks'),
});

const STANDALONE = '// next.config.mjs\nexport default {\n';

export async function checkNext() {
  for (const bundler of ['turbopack', 'webpack']) {
    await check(`next build --${bundler}, standalone`, async () => {
      const folder = makeApplication(application(block(STANDALONE)));
      installFull(folder);
      await build(folder, bundler);
      await scrapeServer(move(folder, '.next/standalone'), ['server.js']);
    });
  }
  await check('next build and next start', async () => {
    const folder = makeApplication(application(block('// next.config.mjs', 'frameworks')));
    installFull(folder);
    await build(folder, 'turbopack');
    await scrapeServer(move(folder, '.'), ['node_modules/next/dist/bin/next', 'start']);
  });
}

const build = (folder, bundler) =>
  run(folder, [process.execPath, 'node_modules/next/dist/bin/next', 'build', `--${bundler}`], {
    env: { NEXT_TELEMETRY_DISABLED: '1' },
  });

/** Lines of the exposition: of the route, and of `instrumentation.ts`. */
const EXPECTED = ['jobs_total{queue="mail"} 42\n', 'process_cpu_seconds_total '];

/** Starts the server, calls its routes, and stops it. */
async function scrapeServer(place, program) {
  const port = await freePort();
  const env = { ...process.env, PORT: `${port}`, HOSTNAME: '127.0.0.1' };
  const server = spawn(process.execPath, program, { cwd: place, env, stdio: ['ignore', 'pipe', 'pipe'] });
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
    const missing = EXPECTED.filter((text) => !`\n${received}`.includes(`\n${text}`));
    if (missing.length > 0) throw new Error(`expected ${missing}\nreceived ${answer.status}\n${received}`);
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
