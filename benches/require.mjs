// Measures `require()` in a fresh process. The first round is not counted: after it, the files are in the operating
// system's cache.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atMost, interleave, median, options, progress, publish, quantile, ratioOfRounds, show } from './harness.mjs';
import { OURS, selectLibraries } from './libraries.mjs';

const ROUNDS = options.quick ? 5 : 30;
const MS_MAX = 14;
/** 14 ms where prom-client takes 33. */
const OF_PROM_CLIENT_MAX = 0.42;

const TIME_IT = `
  const names = process.argv.slice(1);
  const start = process.hrtime.bigint();
  for (const name of names) require(name);
  process.stdout.write(String(Number(process.hrtime.bigint() - start) / 1e6));
`;

const libraries = selectLibraries();
await interleave(libraries, 1, timeRequire);
const samples = await interleave(libraries, ROUNDS, timeRequire);
for (const { id, title } of libraries) progress(`${title}: ${show(median(samples[id]))} ms`);
publish({
  name: 'require',
  title: 'Loading',
  about: `Milliseconds of \`require()\` in ${ROUNDS} fresh processes per library, which take turns. OpenTelemetry means its metrics SDK and its Prometheus exporter.`,
  tables: [
    {
      caption: '`require()`, ms',
      columns: ['', 'median', 'fastest', 'slowest tenth'],
      rows: libraries.map(({ id, title }) => [
        title,
        ...[median(samples[id]), Math.min(...samples[id]), quantile(samples[id], 0.9)].map(show),
      ]),
    },
  ],
  verdicts: samples[OURS] ? judge(samples[OURS], samples['prom-client']) : [],
  samples,
});

function timeRequire({ requires }) {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  return Number(execFileSync(process.execPath, ['-e', TIME_IT, ...requires], { cwd, encoding: 'utf8' }));
}

function judge(ours, promClient) {
  return [
    atMost('`require()`', median(ours), MS_MAX, 'ms'),
    atMost("`require()`, of prom-client's", ratioOfRounds(ours, promClient), OF_PROM_CLIENT_MAX, 'x'),
  ];
}
