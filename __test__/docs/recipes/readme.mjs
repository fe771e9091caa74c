// Recipes of README.md and of the example's page.

import { chat } from '../../sdks/support/chat-answers.mjs';
import { withoutSelfMetrics } from '../../support/exposition.mjs';
import { readPage } from '../support/pages.mjs';

const page = 'README.md';
const FIRST = '.listen(9090);';
const SDK = 'instrumentOpenAI(client, {';

export default [
  {
    page,
    title: 'the first example prints what the page shows',
    blocks: [FIRST],
    async serves(t, program) {
      const shown = readPage(page).blocks.find(({ language }) => language === '').code;
      const answer = await fetch(`http://127.0.0.1:${await program.port()}/metrics`);
      const printed = await answer.text();
      t.is(withoutSelfMetrics(printed), shown);
      t.not(printed, shown);
    },
  },
  {
    page,
    title: 'handles and timers record in the metrics of the first example',
    blocks: [FIRST, "requests.labels('gpt-4o-mini', 'success')", 'using timer'],
    before: `
      const question = 'why?';
      const ask = async (text) => text.length;`,
    after: `
      console.log(requests.value({ model: 'gpt-4o-mini', status: 'success' }), answer);
      console.log(seconds.value({ model: 'gpt-4o-mini' }).count);
      process.exit();`,
    prints: '2 4\n3\n',
  },
  {
    page,
    title: 'a client of OpenAI is measured and the exporter shows it',
    sdks: true,
    blocks: [SDK],
    answers: () => [chat('hi')],
    replace: [['port: 9464', "port: 0, host: '127.0.0.1'"]],
    after: `
      import { register as shown } from '@llm-devops/prometheus-metrics';
      await client.chat.completions.create({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] });
      const text = await shown.metrics();
      console.log(text.match(/^llmdevops_llm_requests_total.* [1-9]\\d*$/gm).join());
      console.log(/^llmdevops_llm_cost_usd_total.* 0\\.0\\d*/m.test(text), /^llmdevops_llm_unpriced.* 0$/m.test(text));
      process.exit();`,
    prints:
      'llmdevops_llm_requests_total{model="gpt-4o-mini",provider="other",operation="chat",status="success"} 1\ntrue true\n',
  },
  {
    page,
    title: 'an agent with a tool is measured',
    blocks: ["agents.run('researcher'"],
    before: `
      const q = 'prometheus';
      const search = async () => ['a page'];
      const ask = (pages) => pages;
      const client = { chat: { completions: { create: async () => ({}) } } };`,
    after: `
      import { register as shown } from '@llm-devops/prometheus-metrics';
      const lines = (await shown.metrics()).split('\\n');
      console.log(lines.filter((line) => /^llmdevops_agent_(executions|tool_calls)_total.* 1$/.test(line)).join('\\n'));`,
    prints: `llmdevops_agent_executions_total{agent_type="researcher",status="success"} 1
llmdevops_agent_tool_calls_total{agent_type="researcher",tool_name="search",status="success"} 1
`,
  },
  {
    page,
    title: 'the exporter listens at the address that it tells, and the program ends when it is told to',
    blocks: ["startExporter({ port: 9464, host: '127.0.0.1' })"],
    replace: [
      ['port: 9464', 'port: 0'],
      ['listen(3000)', 'listen(0)'],
    ],
    after: `
      console.log((await fetch(exporter.url + '/metrics')).status);
      process.kill(process.pid, 'SIGTERM');`,
    async serves(t, { ended }) {
      const { code, stdout } = await ended;
      t.regex(stdout, /^http:\/\/127\.0\.0\.1:\d+\/metrics\nport \d+\n200\n$/);
      t.is(code, 0);
    },
  },
  {
    page,
    title: 'the get-or-create example reads what it wrote',
    blocks: ['const registry = new Registry();'],
    after: "console.log(retries.value({ reason: 'rate_limit' }));",
    prints: '1\n',
  },
  {
    page,
    title: 'a callback sets its gauge when it is scraped',
    blocks: ["name: 'queue_length'"],
    before: 'const queue = [1, 2, 3];',
    after: `
      import { register as shown } from '@llm-devops/prometheus-metrics';
      console.log(await shown.getSingleMetricAsString('queue_length'));`,
    prints: '# HELP queue_length Jobs waiting\n# TYPE queue_length gauge\nqueue_length 3\n',
  },
  {
    page,
    title: 'default metrics begin and stop',
    blocks: ["exclude: ['processRequests']"],
    after: `
      import { register as shown } from '@llm-devops/prometheus-metrics';
      console.log(/^process_cpu_seconds_total /m.test(await shown.metrics()));
      stop();`,
    prints: 'true\n',
  },
  {
    page,
    title: 'series that are made in advance begin at 0',
    blocks: ["name: 'tool_calls_total'"],
    after: "console.log(['success', 'error'].map((status) => tools.value({ tool: 'search', status })).join());",
    prints: '0,0\n',
  },
  {
    page: 'examples/llm-gateway/README.md',
    title: 'a call is recorded',
    blocks: ['llm.startRequest('],
    before: `
      import { LlmMetricsCollector, register } from '@llm-devops/prometheus-metrics';
      const llm = new LlmMetricsCollector();
      const [inputTokens, outputTokens, finishReason] = [120, 40, 'stop'];`,
    after: "console.log((await register.metrics()).match(/^llmdevops_llm_tokens_total.* [1-9]\\d*$/gm).join('\\n'));",
    prints: `llmdevops_llm_tokens_total{model="gpt-4o-mini",provider="openai",type="input"} 120
llmdevops_llm_tokens_total{model="gpt-4o-mini",provider="openai",type="output"} 40
`,
  },
];
