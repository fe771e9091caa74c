// Kubernetes and the Prometheus operator accept the manifests, and the parts of the manifests fit together.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { run, temporaryFolder } from './support/processes.mjs';
import { VENV_PYTHON } from './support/python.mjs';
import { readYaml } from './support/yaml.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'deploy/kubernetes');
const script = fileURLToPath(new URL('support/manifest-verdicts.py', import.meta.url));

async function readManifests() {
  const paths = (await readdir(folder)).sort().map((file) => join(folder, file));
  const manifests = [...(await readYaml(paths)).values()].flat();
  return Object.fromEntries(manifests.map((manifest) => [manifest.kind, manifest]));
}

async function verdicts(manifests) {
  const { code, stdout, stderr } = await run(VENV_PYTHON, [script], { input: JSON.stringify(manifests) });
  if (code !== 0) throw new Error(`The manifests were not judged:\n${stderr}`);
  return JSON.parse(stdout);
}

test('Kubernetes and the operator accept the manifests', async (t) => {
  const manifests = await readManifests();
  t.deepEqual(Object.keys(manifests), ['Deployment', 'Service', 'PodMonitor', 'ServiceMonitor']);
  t.deepEqual(await verdicts(Object.values(manifests)), [[], [], [], []]);
});

test('errors in a manifest are found', async (t) => {
  const changed = async (kind, change) => {
    const manifest = (await readManifests())[kind];
    change(manifest.spec);
    return manifest;
  };
  const wrong = await Promise.all([
    changed('Deployment', (spec) => delete spec.selector),
    changed('Deployment', ({ template }) => Object.assign(template.spec.containers[0], { livenesProbe: {} })),
    changed('Deployment', ({ template }) =>
      Object.assign(template.spec.containers[0].ports[0], { containerPort: 'http' }),
    ),
    changed('Service', ({ ports }) => delete ports[0].port),
    changed('ServiceMonitor', ({ endpoints }) => Object.assign(endpoints[0], { intervall: '15s' })),
    changed('ServiceMonitor', ({ endpoints }) => Object.assign(endpoints[0], { interval: '15 s' })),
    changed('PodMonitor', (spec) => delete spec.selector),
    changed('PodMonitor', ({ podMetricsEndpoints }) => Object.assign(podMetricsEndpoints[0], { scheme: 'ftp' })),
  ]);
  for (const [i, faults] of (await verdicts(wrong)).entries()) t.true(faults.length > 0, `fault ${i} is found`);
});

test('selectors, ports and probes fit each other and the endpoint', async (t) => {
  const { Deployment, Service, PodMonitor, ServiceMonitor } = await readManifests();
  const pod = Deployment.spec.template;
  const [app] = pod.spec.containers;
  const labels = { app: 'my-service' };
  t.deepEqual(Deployment.spec.selector.matchLabels, labels);
  t.deepEqual(pod.metadata.labels, labels);
  t.deepEqual(Service.spec.selector, labels);
  t.deepEqual(Service.metadata.labels, labels);
  for (const { spec } of [PodMonitor, ServiceMonitor]) {
    t.deepEqual(spec.selector.matchLabels, labels);
    t.true(spec.jobLabel in labels);
  }

  const { containerPort } = app.ports.find(({ name }) => name === 'metrics');
  t.is(app.env.find(({ name }) => name === 'METRICS_ENDPOINT_PORT').value, String(containerPort));
  t.is(pod.metadata.annotations['prometheus.io/port'], String(containerPort));
  t.is(Service.spec.ports.find(({ name }) => name === 'metrics').targetPort, 'metrics');
  for (const [endpoint] of [PodMonitor.spec.podMetricsEndpoints, ServiceMonitor.spec.endpoints]) {
    t.is(`${endpoint.port} ${endpoint.path}`, 'metrics /metrics');
  }
  const probes = Object.entries({ startupProbe: '/health', livenessProbe: '/health', readinessProbe: '/ready' });
  for (const [probe, path] of probes) t.deepEqual(app[probe].httpGet, { path, port: 'metrics' }, probe);
});

test('the manifests use existing settings', async (t) => {
  const { Deployment } = await readManifests();
  const page = await readFile(join(root, 'docs/endpoint.md'), 'utf8');
  for (const { name } of Deployment.spec.template.spec.containers[0].env) {
    t.true(page.includes(`| \`${name}\` |`), name);
  }
});

test('the rules become PrometheusRules as docs/dashboards.md says', async (t) => {
  const page = await readFile(join(root, 'docs/dashboards.md'), 'utf8');
  const [script] = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
    .map(([, text]) => text)
    .filter((text) => text.includes('PrometheusRule'));
  const command = script.replace('kubectl apply -f -', 'cat');
  t.not(command, script);
  const { code, stdout, stderr } = await run('sh', ['-c', `cd '${root}' && ${command}`]);
  t.is(code, 0, stderr);

  const written = join(await temporaryFolder(t), 'rules.yml');
  await writeFile(written, stdout);
  const documents = [...(await readYaml([written])).values()].flat().filter((document) => document !== null);
  t.deepEqual(
    documents.map(({ metadata }) => metadata.name),
    ['llm-devops-agents', 'llm-devops-endpoint', 'llm-devops-llm'],
  );
  t.deepEqual(await verdicts(documents), [[], [], []]);
});
