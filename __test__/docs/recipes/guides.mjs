// Recipes of the guides in docs/ that need no framework and no test runner.

import { until } from '../../http/metrics/support/ledger.mjs';
import { readPage } from '../support/pages.mjs';

/** 'right password', at bcrypt's lowest cost. */
const HASH = '$2b$04$v/P7ECUzsPBAfs8Xw9ohmOqMENN6qTZxU8tb9AOMEQwDNAH54J6Rm';
const SHOWN = "import { register as shown } from '@llm-devops/prometheus-metrics';";
const LIBRARY = (names) => `import { ${names} } from '@llm-devops/prometheus-metrics';`;

const cardinality = 'docs/cardinality.md';

/** A receiver of pushes, which prints what it is asked. */
const RECEIVER = `import { once } from 'node:events';
  import http from 'node:http';
  const server = http.createServer((request, response) => {
    console.log(request.method, request.url);
    request.resume().on('end', () => response.end());
  });
  server.listen();
  await once(server, 'listening');
  const receiver = 'http://127.0.0.1:' + server.address().port;`;

/** A program that has ended well and printed this. */
const received =
  (expected) =>
  async (t, { ended }) => {
    const { code, stdout } = await ended;
    t.is(code, 0);
    t.regex(stdout, expected);
  };

export default [
  {
    // The page's blocks follow each other: each is run after the ones above it, with a line that shows what it did.
    page: cardinality,
    title: 'the blocks, one after the other, print what the page shows',
    blocks: [
      'maxTotal: 50_000',
      'registry.cardinality()',
      'calls.remove(',
      'ttlSeconds: 3600',
      'calls.init(',
      'registryOf',
    ],
    between: [
      '',
      'console.log(report.series, JSON.stringify(report.metrics[0].labels.tool));',
      "console.log(calls.value({ tool: 'shell', user: 'ada' }));",
      '',
      'console.log(registry.cardinality().series);',
    ],
    after: `
      const tenant = registryOf('acme').registry;
      tenant.counter({ name: 'c_total', help: 'c', labelNames: ['tenant'] }).inc({ tenant: 'ada@example.com' });
      console.log(await register.getMetricsAsJSON().then(([{ values }]) => JSON.stringify(values)));`,
    prints: `${readPage(cardinality).blocks.find(({ language }) => language === '').code}3 {"values":3,"maxValues":2}
0
4
[{"value":1,"labels":{"exported_tenant":"[email]","tenant":"acme"}}]
`,
  },
  { page: 'docs/formats.md', title: 'the beginning of a series is shown', blocks: ['created: true'] },
  { page: 'docs/formats.md', title: 'a native histogram makes its buckets', blocks: ['nativeHistogramBucketFactor'] },
  { page: 'docs/formats.md', title: 'a scraper gets names of UTF-8 as it asks', blocks: ["names: 'utf8'"] },
  {
    page: 'docs/default-metrics.md',
    title: 'all default metrics begin and stop',
    blocks: ['collectDefaultMetrics();'],
    after: `${SHOWN}
      console.log(/^nodejs_eventloop_lag_seconds /m.test(await shown.metrics()));
      stop();`,
    prints: 'true\n',
  },
  {
    page: 'docs/default-metrics.md',
    title: 'parts are chosen',
    blocks: ["include: ['process']"],
    after: `${SHOWN}
      const exposition = await shown.metrics();
      console.log(/^process_cpu_seconds_total /m.test(exposition), /^nodejs_eventloop_utilization/m.test(exposition));
      process.exit();`,
    prints: 'true false\n',
  },
  {
    page: 'docs/endpoint.md',
    title: 'the exporter listens at the address that it tells',
    blocks: ['port: 9464'],
    replace: [['port: 9464', 'port: 0']],
    after: `
      console.log((await fetch(exporter.url + '/metrics')).status);
      process.kill(process.pid, 'SIGTERM');`,
    serves: async (t, { ended }) => {
      const { code, stdout } = await ended;
      t.is(code, 0);
      t.regex(stdout, /^http:\/\/127\.0\.0\.1:\d+\/metrics\n200\n$/);
    },
  },
  {
    page: 'docs/endpoint.md',
    title: 'checks decide about readiness until it is set',
    blocks: ["pool.query('select 1')"],
    before: `${LIBRARY('startExporter')}
      const pool = { query: async () => [] };
      const cache = new Map([['key', 'value']]);
      setTimeout(() => process.exit(1), 10_000).unref();`,
    replace: [
      [
        'exporter.setReady(false);',
        "console.log((await fetch(exporter.url + '/ready')).status);\nexporter.setReady(false);",
      ],
    ],
    after: `
      console.log((await fetch(exporter.url + '/ready')).status);
      await exporter.close();`,
    prints: '200\n503\n',
  },
  {
    page: 'docs/page.md',
    title: 'the exporter tells where its page is',
    blocks: ['/ in a browser'],
    replace: [['port: 9464', 'port: 0']],
    after: `
      console.log((await fetch(exporter.url + '/')).headers.get('content-type'));
      await exporter.close();`,
    serves: async (t, { ended }) => {
      const { code, stdout } = await ended;
      t.is(code, 0);
      t.regex(stdout, /^Open http:\/\/127\.0\.0\.1:\d+\/ in a browser\ntext\/html; charset=utf-8\n$/);
    },
  },
  {
    page: 'docs/page.md',
    title: 'a handler shows the page',
    blocks: ['page: true'],
    replace: [
      [
        'createServer(createMetricsHandler({ page: true })).listen(9464)',
        'const server = createServer(createMetricsHandler({ page: true })).listen(0)',
      ],
    ],
    after: `
      await new Promise((resolve) => server.once('listening', resolve));
      console.log((await fetch(\`http://127.0.0.1:\${server.address().port}/\`)).headers.get('content-type'));
      server.closeAllConnections();
      server.close();`,
    serves: async (t, { ended }) => {
      const { code, stdout } = await ended;
      t.is(code, 0);
      t.regex(stdout, /\ntext\/html; charset=utf-8\n$/);
    },
  },
  {
    page: 'docs/pushgateway.md',
    title: 'a gauge is pushed',
    blocks: ['gateway.pushAdd('],
    before: `import { once } from 'node:events';
      import http from 'node:http';
      const server = http.createServer((request, response) => {
        console.log(request.method, request.url);
        response.end('taken');
      });
      server.listen();
      await once(server, 'listening');`,
    replace: [["'http://127.0.0.1:9091'", "'http://127.0.0.1:' + server.address().port"]],
    after: 'process.exit();',
    serves: async (t, { ended }) => {
      const { code, stdout } = await ended;
      t.is(code, 0);
      t.regex(stdout, /^port \d+\nPOST \/metrics\/job\/backup\/instance\/db-1\n200 taken\n$/);
    },
  },
  {
    page: 'docs/push.md',
    title: 'a counter is pushed when the program ends',
    blocks: ["job: 'nightly-import'"],
    before: RECEIVER,
    replace: [
      ["'http://127.0.0.1:9090/api", "receiver + '/api"],
      ["bearerTokenFile: '/run/secrets/token',", "bearerToken: 'token',"],
    ],
    after: 'await pusher.close(); process.exit();',
    serves: received(/\nPOST \/api\/v1\/write\n/),
  },
  {
    page: 'docs/push.md',
    title: 'a function pushes after its invocation',
    blocks: ['withMetrics(async'],
    before: RECEIVER,
    replace: [["'https://collector.example/v1/metrics'", "receiver + '/v1/metrics'"]],
    after: 'console.log((await handler({})).statusCode); process.exit();',
    serves: received(/\nPOST \/v1\/metrics\n200\n/),
  },
  {
    page: 'docs/cluster.md',
    title: 'the primary shows the sum of its workers',
    blocks: ['registry.clusterMetrics()'],
    serves: async (t, program) => {
      const url = `http://127.0.0.1:${await program.port()}`;
      const expected = '# HELP jobs_total Jobs done\n# TYPE jobs_total counter\njobs_total 2\n';
      await until(async () => (await (await fetch(url)).text()) === expected);
      t.is(await (await fetch(url)).text(), expected);
    },
  },
  {
    page: 'docs/processes.md',
    title: 'the exporter of the primary shows its workers',
    blocks: ['shareProcesses();'],
    replace: [
      [
        'await startExporter({ port: 9464 });',
        `const { url } = await startExporter({ host: '127.0.0.1', port: 0 });
  const shown = async () => (await (await fetch(url + '/metrics')).text()).match(/^jobs_total .*/m)?.[0];
  while ((await shown()) !== 'jobs_total 2') await new Promise((resolve) => setTimeout(resolve, 20));
  console.log(await shown());
  process.exit();`,
      ],
    ],
    serves: async (t, { ended }) => {
      const { code, stdout } = await ended;
      t.is(code, 0);
      t.regex(stdout, /jobs_total 2\n$/);
    },
  },
  {
    page: 'docs/labels.md',
    title: 'a registry cleans values by default',
    blocks: ['sanitize: true'],
    before: LIBRARY('Registry'),
    after: `
      registry.counter({ name: 'c', help: 'h', labelNames: ['a'] }).inc({ a: 'ada@example.com' });
      console.log((await registry.metrics()).split('\\n')[2]);`,
    prints: 'c{a="[email]"} 1\n',
  },
  {
    page: 'docs/labels.md',
    title: 'a registry cleans values as it is told',
    blocks: ['maxLength: 64'],
    before: LIBRARY('Registry'),
    after: `
      const counter = registry.counter({ name: 'c', help: 'h', labelNames: ['a'] });
      counter.inc({ a: 'x'.repeat(100) });
      counter.inc({ a: 'a\\u0007b' });
      console.log((await registry.metrics()).split('\\n').slice(2, 4).join('\\n'));
      try {
        registry.counter({ name: 'd', help: 'h', labelNames: ['internal_a'] });
      } catch (error) {
        console.log(error.code);
      }`,
    prints: `c{a="${'x'.repeat(63)}…"} 1\nc{a="ab"} 1\nINVALID_LABEL_NAME\n`,
  },
  {
    page: 'docs/metrics.md',
    title: 'a request inside an execution is priced and counted',
    blocks: ['agents.run('],
    after: `${SHOWN}
      const lines = (await shown.metrics()).split('\\n');
      const has = (name) => lines.filter((line) => line.startsWith('llmdevops_' + name) && !line.endsWith(' 0'));
      console.log([answer, ...has('llm_requests_total'), ...has('llm_cost_usd_total'), ...has('agent_executions_total')].join('\\n'));`,
    prints: `1
llmdevops_llm_requests_total{model="gpt-4o-mini",provider="openai",operation="chat",status="success"} 1
llmdevops_llm_cost_usd_total{model="gpt-4o-mini",provider="openai"} 0.000042
llmdevops_agent_executions_total{agent_type="researcher",status="success"} 1
`,
  },
  {
    page: 'docs/summaries.md',
    title: 'summaries, infos and state sets are shown',
    blocks: ['job_duration_seconds', "name: 'loaded_model'", "name: 'breaker_state'"],
    after: `
      const { openMetricsContentType, register } = await import('@llm-devops/prometheus-metrics');
      register.setContentType(openMetricsContentType);
      const lines = (await register.metrics()).split('\\n');
      console.log(lines.filter((line) => !line.startsWith('# HELP') && !line.includes('bulk')).join('\\n'));`,
    prints: `{ quantile: 0.5, value: 2.25 }
# TYPE job_duration_seconds summary
# UNIT job_duration_seconds seconds
job_duration_seconds{quantile="0.5",queue="mail"} 2.25
job_duration_seconds{quantile="0.9",queue="mail"} 3.25
job_duration_seconds{quantile="0.99",queue="mail"} 3.25
job_duration_seconds_sum{queue="mail"} 4.5
job_duration_seconds_count{queue="mail"} 2
# TYPE build info
build_info{version="1.2.3",revision="e1a2b3c"} 1
# TYPE loaded_model info
loaded_model_info{slot="1",model="large"} 1
# TYPE breaker_state stateset
breaker_state{upstream="billing",breaker_state="open"} 0
breaker_state{upstream="billing",breaker_state="half_open"} 0
breaker_state{upstream="billing",breaker_state="closed"} 1
# TYPE features stateset
features{features="search"} 1
features{features="export"} 0
# EOF

`,
  },
  {
    page: 'docs/recording.md',
    title: 'a metric is registered, reset and written in another format',
    blocks: ['registry.registerMetric(jobs);'],
    prints: `# HELP jobs_total Jobs
# TYPE jobs_total counter
jobs_total 3
# HELP jobs Jobs
# TYPE jobs counter
jobs_total 0
# EOF

`,
  },
  {
    page: 'docs/metrics.md',
    title: 'budgets, retries, fallbacks and media are recorded',
    blocks: ['llm.setBudget('],
    after: `${SHOWN}
      const lines = (await shown.metrics()).split('\\n');
      console.log(lines.filter((line) => /^llmdevops_llm_(?!.*_(bucket|sum|count)).* (?!0$)/.test(line)).join('\\n'));`,
    prints: `llmdevops_llm_unpriced_requests_total{model="dall-e-3",provider="openai"} 1
llmdevops_llm_retries_total{model="other",provider="openai",error_type="rate_limit"} 1
llmdevops_llm_fallbacks_total{from_model="other",to_model="gpt-4o-mini",status="success"} 1
llmdevops_llm_cache_requests_total{cache="answers",result="hit"} 1
llmdevops_llm_guardrail_checks_total{guardrail="pii",stage="input",result="block"} 1
llmdevops_llm_budget_limit_usd{budget="march"} 500
llmdevops_llm_budget_remaining_usd{budget="march"} 120.5
llmdevops_llm_budget_reset_timestamp_seconds{budget="march"} 1775001600
llmdevops_llm_media_units_total{model="dall-e-3",provider="openai",unit="images"} 2
`,
  },
  {
    page: 'docs/metrics.md',
    title: 'a stream that stalls, within its objectives',
    blocks: ['stallMs: 2000'],
    after: `${SHOWN}
      const times = { durationMs: 20_000, timeToFirstTokenMs: 900, longestGapMs: 2500, stalls: 1, chunks: 90 };
      llm.recordRequest({ model: 'm', provider: 'p', outputTokens: 401, ...times });
      const lines = (await shown.metrics()).split('\\n');
      console.log(lines.filter((line) => /^llmdevops_llm_(objectives|streaming_stalls).* (?!0$)/.test(line)).join('\\n'));`,
    prints: `llmdevops_llm_objectives_total{model="m",provider="p",result="met"} 1
llmdevops_llm_streaming_stalls_total{model="m",provider="p"} 1
`,
  },
  {
    page: 'docs/metrics.md',
    title: 'an execution is reported piece by piece',
    blocks: ['execution.addUsage('],
    after: `${SHOWN}
      const lines = (await shown.metrics()).split('\\n');
      console.log(lines.filter((line) => /^llmdevops_agent_\\w+_total.* (?!0$)/.test(line)).join('\\n'));`,
    prints: `llmdevops_agent_executions_total{agent_type="researcher",status="max_steps"} 1
llmdevops_agent_steps_total{agent_type="researcher",step_type="plan"} 1
llmdevops_agent_tool_calls_total{agent_type="researcher",tool_name="search",status="success"} 1
llmdevops_agent_handoffs_total{from_agent="researcher",to_agent="writer",status="success"} 1
llmdevops_agent_memory_operations_total{agent_type="writer",operation_type="write",status="success"} 1
llmdevops_agent_errors_total{agent_type="researcher",error_type="max_steps"} 1
llmdevops_agent_tokens_total{agent_type="researcher",type="input"} 1200
llmdevops_agent_tokens_total{agent_type="researcher",type="output"} 300
llmdevops_agent_cost_usd_total{agent_type="researcher"} 0.004
`,
  },
  {
    page: 'docs/metrics.md',
    title: 'a batch costs half of the price',
    blocks: ['tiers: { batch: 0.5'],
    after: `${SHOWN}
      const lines = (await shown.metrics()).split('\\n');
      console.log(lines.filter((line) => /^llmdevops_llm_cost_usd_total.* (?!0$)/.test(line)).join('\\n'));`,
    prints: 'llmdevops_llm_cost_usd_total{model="our-model",provider="p"} 0.0024\n',
  },
  {
    page: 'docs/metrics.md',
    title: 'requests are counted by tenant',
    blocks: ['labels: { tenant: { max: 100 } }'],
    after: `${SHOWN}
      const lines = (await shown.metrics()).split('\\n');
      console.log(lines.filter((line) => /^llmdevops_llm_requests_total.* (?!0$)/.test(line)).join('\\n'));`,
    prints:
      'llmdevops_llm_requests_total{model="gpt-4o",provider="openai",operation="chat",status="success",tenant="acme"} 2\n',
  },
  {
    page: 'docs/metrics.md',
    title: 'sample prices are dated',
    blocks: ['SAMPLE_PRICES_AS_OF'],
    before: LIBRARY('LlmMetricsCollector'),
    serves: async (t, { ended }) => {
      const { code, stdout, stderr } = await ended;
      t.is(code, 0, stderr);
      t.regex(stdout, /^\d{4}-\d\d-\d\d\n$/);
    },
  },
  {
    page: 'docs/security.md',
    title: 'a token, a password or a callback lets in',
    blocks: ['bearerTokens:'],
    replace: [['$2y$10$…', HASH]],
    before: `${LIBRARY('startExporter as start')}
      const OWN_PORT = { host: '127.0.0.1', port: 0 };
      process.env.METRICS_TOKEN = 'a-token-of-the-example';
      let exporter;
      const startExporter = async (options) => (exporter = await start({ ...OWN_PORT, ...options }));
      const verify = (cookie) => cookie === 'session=good';`,
    after: `
      const ask = async (headers) => (await fetch(exporter.url + '/metrics', { headers })).status;
      const basic = 'Basic ' + btoa('prometheus:right password');
      console.log(await ask({ authorization: 'Bearer a-token-of-the-example' }), await ask({ authorization: basic }));
      console.log(await ask({ cookie: 'session=good' }), await ask({ cookie: 'session=bad' }), await ask({}));
      process.exit();`,
    prints: '200 200\n200 401 401\n',
  },
  {
    page: 'docs/security.md',
    title: 'TLS with certificates of clients',
    blocks: ['tlsClientCaFile:'],
    before: `${LIBRARY('startExporter as start')}
      const OWN_PORT = { host: '127.0.0.1', port: 0 };
      import https from 'node:https';
      import { certificates } from '../http/exporter/support/certificates.mjs';
      const ends = [];
      const made = await certificates({ teardown: (end) => ends.push(end) });
      let exporter;
      const startExporter = async (options) => (exporter = await start({ ...OWN_PORT, ...options }));`,
    replace: [
      ["'/etc/tls/tls.crt'", "made.path('server.crt')"],
      ["'/etc/tls/tls.key'", "made.path('server.key')"],
      ["'/etc/tls/ca.crt'", "made.path('ca.crt')"],
    ],
    after: `
      const ask = (client) =>
        new Promise((resolve) => {
          const options = { ca: made.read('ca.crt'), ...client, agent: false };
          https.get(exporter.url + '/metrics', options, ({ statusCode }) => resolve(statusCode)).on('error', () => resolve('refused'));
        });
      console.log(await ask(made.client('client')), await ask({}), await ask(made.client('stranger')));
      await Promise.all(ends.map((end) => end()));
      process.exit();`,
    prints: '200 refused refused\n',
  },
];
