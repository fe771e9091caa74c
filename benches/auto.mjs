// Measures the zero-code mode: what it adds to a request of a server and to the start of a program, beside the middleware and
// OpenTelemetry's automatic instrumentation. Each kind runs in fresh processes, which take turns. OpenTelemetry's has its
// traces off and its Prometheus exporter on, so that both do the same work.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { atLeast, interleave, median, options, progress, publish, show } from './harness.mjs';

const ENTRY = new URL('../dist/entry/', import.meta.url);
const ROUNDS = options.quick ? 3 : 9;
const REQUESTS = options.quick ? 5000 : 20_000;
/** Of OpenTelemetry's cost, for both. */
const RATIO_MIN = 2;
const TIMEOUT_MS = 120_000;
/** What a process that this bench starts has to do. */
const ROLE = '--role=';
const EMPTY = 'empty';

const KINDS = [
  { id: 'nothing', title: 'no metrics', flags: [] },
  { id: 'middleware', title: '`createHttpMetrics()`', flags: [] },
  { id: 'auto', title: 'zero-code mode', flags: ['--import', fileURLToPath(new URL('auto.mjs', ENTRY))] },
  {
    id: 'opentelemetry',
    title: 'OpenTelemetry, automatic',
    flags: ['--import', '@opentelemetry/auto-instrumentations-node/register'],
  },
];

const role = process.argv.find((argument) => argument.startsWith(ROLE))?.slice(ROLE.length);
if (role === undefined)
  await compare(options.peersOnly ? KINDS.filter(({ id }) => id === 'nothing' || id === 'opentelemetry') : KINDS);
else if (role !== EMPTY) await serve(role);

/** Answers requests over one connection that is kept alive, and prints nanoseconds per request. */
async function serve(kind) {
  const { createHttpMetrics } = kind === 'middleware' ? await import(new URL('index.mjs', ENTRY)) : {};
  const metrics = createHttpMetrics?.();
  // OpenTelemetry's hook sees what `require()` loads, and no import of an ES module.
  const http = createRequire(import.meta.url)('http');
  const server = http.createServer((request, response) => {
    metrics?.(request, response);
    response.end('answer');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
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

async function compare(kinds) {
  await interleave(kinds, 1, measure);
  const samples = await interleave(kinds, ROUNDS, measure);
  const of = (id, field) => samples[id].map((sample) => sample[field]);
  /** What a kind adds, round by round. */
  const added = (id, field) => of(id, field).map((value, round) => value - of('nothing', field)[round]);
  const rows = kinds.map(({ id, title }) => {
    const [ns, ms] = ['ns', 'ms'].map((field) => median(of(id, field)));
    progress(`${title}: ${show(ns)} ns a request, ${show(ms)} ms to start and end`);
    const more = id === 'nothing' ? ['–', '–'] : ['ns', 'ms'].map((field) => show(median(added(id, field))));
    return [title, show(ns), more[0], show(ms), more[1]];
  });
  publish({
    name: 'auto',
    title: 'Zero-code mode',
    about: `A server of \`node:http\` answers ${REQUESTS} requests over one connection that is kept alive, in ${ROUNDS} fresh processes of each kind, which take turns. *Start* is an empty program from start to end. What is added is the median over the rounds.`,
    tables: [
      {
        caption: 'A request, and an empty program',
        columns: ['', 'ns a request', 'added', 'ms to start and end', 'added'],
        rows,
      },
    ],
    verdicts: options.peersOnly
      ? []
      : [
          ['added to a request', 'ns'],
          ['added to the start', 'ms'],
        ].map(([what, field]) =>
          atLeast(
            `${what}, OpenTelemetry's against ours`,
            median(added('opentelemetry', field)) / median(added('auto', field)),
            RATIO_MIN,
          ),
        ),
    samples,
  });
}

function measure({ id, flags }) {
  const ns = Number(run(flags, id).trim().split('\n').at(-1));
  if (!(ns > 0)) throw new Error(`Expected the time of a request from ${id} but received ${ns}`);
  const start = process.hrtime.bigint();
  run(flags, EMPTY);
  return { ns, ms: Number(process.hrtime.bigint() - start) / 1e6 };
}

function run(flags, role) {
  const quick = options.quick ? ['--quick'] : [];
  const argv = [...flags, fileURLToPath(import.meta.url), `${ROLE}${role}`, ...quick];
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: {
      ...process.env,
      METRICS_ENDPOINT_PORT: '0',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'prometheus',
    },
  });
  if (status !== 0) throw new Error(`Expected ${flags.join(' ')} ${role} to end but received ${status}: ${stderr}`);
  return stdout;
}
