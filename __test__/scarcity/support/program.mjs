// Uses an exporter where something is missing, and tells the parent what each promise came to.

import { Counter, Registry, startExporter } from '@llm-devops/prometheus-metrics';

const wanted = JSON.parse(process.argv[2]);
const registry = new Registry({ logger: { warn() {} } });
new Counter({ name: 'c_total', help: 'h', registers: [registry] }).inc();

async function outcome(call) {
  try {
    return { value: await call() };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

/** Waits at most this long: a promise that never settles is an outcome too. */
const within = (promise) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 15_000, 'never').unref())]);

/** Opens files until no descriptor is left, except `spare`. */
async function exhaustDescriptors(spare) {
  const { openSync, closeSync } = await import('node:fs');
  const held = [];
  try {
    for (;;) held.push(openSync('/dev/null'));
  } catch {}
  for (const descriptor of held.splice(0, spare)) closeSync(descriptor);
  return () => held.splice(0).forEach(closeSync);
}

const report = {};
// Loads what fetch() needs, while there is enough of everything.
await fetch('http://127.0.0.1:1/').catch(() => {});
const first = wanted.startBefore ? await startExporter({ registry, host: '127.0.0.1', port: 0 }) : undefined;
const release = wanted.spare === undefined ? () => {} : await exhaustDescriptors(wanted.spare);
const started = await within(outcome(() => startExporter({ registry, host: '127.0.0.1', port: 0 })));
release();
const exporter = started.value;
report.start = exporter === undefined ? started : 'started';
if (exporter !== undefined) {
  report.answer = await within(outcome(async () => (await fetch(`${exporter.url}/metrics`)).status));
}
if (first !== undefined) report.first = await within(outcome(async () => (await fetch(`${first.url}/metrics`)).status));
report.metrics = await within(outcome(async () => /^c_total 1$/m.test(await registry.metrics())));
for (const open of [exporter, first]) {
  if (open === undefined) continue;
  report.close = await within(outcome(async () => (await open.close({ timeoutMs: 500 })) ?? 'closed'));
  report.afterwards = await within(outcome(async () => (await fetch(`${open.url}/metrics`)).status));
}
process.stdout.write(`${JSON.stringify(report)}\n`);
