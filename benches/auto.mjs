/**
 * Measures the zero-code mode: what it adds to a request of a server and to the start of a program, beside the middleware and
 * OpenTelemetry's automatic instrumentation, if `@opentelemetry/auto-instrumentations-node` is installed. Each kind runs in
 * processes of its own, in turn. `node benches/auto.mjs [--rounds=5]`
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const AUTO = fileURLToPath(new URL('../dist/entry/auto.mjs', import.meta.url));
const OPENTELEMETRY = '@opentelemetry/auto-instrumentations-node/register';
const REQUESTS = 20_000;

const self = fileURLToPath(import.meta.url);

/** Answers requests over one connection that is kept alive, and prints nanoseconds per request. */
async function serve(byHand) {
  const http = await import('node:http');
  const { once } = await import('node:events');
  const { createHttpMetrics } = byHand ? await import('../dist/entry/index.mjs') : {};
  const metrics = createHttpMetrics?.();
  const server = http.createServer((request, response) => {
    metrics?.(request, response);
    response.end('answer');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const net = await import('node:net');
  const socket = net.connect(server.address().port, '127.0.0.1');
  let [left, warm] = [REQUESTS, REQUESTS / 4];
  let start = 0n;
  const ask = () => socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n');
  socket.on('data', () => {
    if (warm > 0) {
      if (--warm === 0) start = process.hrtime.bigint();
    } else if (--left === 0) {
      console.log(Number(process.hrtime.bigint() - start) / REQUESTS);
      process.exit();
    }
    ask();
  });
  ask();
}

function run(flags, kind) {
  const env = {
    ...process.env,
    METRICS_ENDPOINT_PORT: '0',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_METRICS_EXPORTER: 'prometheus',
  };
  const start = process.hrtime.bigint();
  const { stdout } = spawnSync(process.execPath, [...flags, self, `--run=${kind}`], { env, encoding: 'utf8' });
  return { result: Number(stdout.trim().split('\n').at(-1)), ms: Number(process.hrtime.bigint() - start) / 1e6 };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function isInstalled(name) {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function compare(rounds) {
  const kinds = {
    nothing: [],
    middleware: [],
    'zero-code mode': ['--import', AUTO],
    ...(isInstalled(OPENTELEMETRY) ? { 'OpenTelemetry, automatic': ['--import', OPENTELEMETRY] } : {}),
  };
  const measured = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, { ns: [], ms: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const [kind, flags] of Object.entries(kinds)) {
      measured[kind].ns.push(run(flags, kind === 'middleware' ? 'middleware' : 'plain').result);
      measured[kind].ms.push(run(flags, 'empty').ms);
    }
  }
  const [base, empty] = [median(measured.nothing.ns), median(measured.nothing.ms)];
  for (const [kind, { ns, ms }] of Object.entries(measured)) {
    const added = `${Math.round(median(ns) - base)} ns a request, ${(median(ms) - empty).toFixed(1)} ms of start`;
    console.log(
      kind === 'nothing' ? `${kind}: ${Math.round(base)} ns, ${empty.toFixed(1)} ms` : `${kind}: adds ${added}`,
    );
  }
}

const kind = process.argv.find((argument) => argument.startsWith('--run='))?.slice('--run='.length);
if (kind === undefined) {
  compare(Number(process.argv.find((argument) => argument.startsWith('--rounds='))?.slice('--rounds='.length) ?? 5));
} else if (kind !== 'empty') {
  await serve(kind === 'middleware');
}
