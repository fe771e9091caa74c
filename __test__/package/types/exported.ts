/**
 * Exports what each function and class of the library makes, without writing its type. A program with `declaration: true`, as
 * packages and project references have, compiles only if its compiler can name each of these types by a public entry.
 */
import client, {
  AgentMetricsCollector,
  AggregatorRegistry,
  aggregators,
  ClusterRegistry,
  Counter,
  collectDefaultMetrics,
  configFromEnv,
  createFetchHandler,
  createHttpMetrics,
  createMetricsHandler,
  Gauge,
  Info,
  LlmMetricsCollector,
  linearBuckets,
  Pushgateway,
  Registry,
  register,
  StateSet,
  Summary,
  startExporter,
  WorkerRegistry,
} from '@llm-devops/prometheus-metrics';
import { instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import { createHttpMetrics as fastifyHttp, fastifyMetrics } from '@llm-devops/prometheus-metrics/fastify';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import { createMastraExporter } from '@llm-devops/prometheus-metrics/mastra';
import { instrumentMcpClient } from '@llm-devops/prometheus-metrics/mcp';
import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import { SAMPLE_PRICES } from '@llm-devops/prometheus-metrics/prices';
import * as testing from '@llm-devops/prometheus-metrics/testing';
export const c = new Counter({ name: 'c', help: 'h', labelNames: ['a'] });
export const c2 = register.counter({ name: 'c2', help: 'h', labelNames: ['a', 'b'] });
export const child = c.labels('x');
export const g = register.gauge({ name: 'g', help: 'h' });
export const gchild = new Gauge({ name: 'g1', help: 'h', labelNames: ['q'] }).labels({ q: '1' });
export const h = register.histogram({ name: 'h', help: 'h', labelNames: ['a'] });
export const hv = h.value({ a: 'x' });
export const timer = h.startTimer({ a: 'x' });
export const s = new Summary({ name: 's', help: 'h', labelNames: ['a'] });
export const sv = s.value({ a: 'x' });
export const schild = s.labels('x');
export const i = new Info({ name: 'i', help: 'h', labelNames: ['v'] });
export const st = new StateSet({ name: 'st', help: 'h', states: ['on', 'off'] });
export const got = c.get();
export const json = register.getMetricsAsJSON();
export const arr = register.getMetricsAsArray();
export const one = register.getSingleMetric('c');
export const scr = register.scrape();
export const card = register.cardinality();
export const unmount = register.mount(new Registry(), { t: 'x' });
export const stop = collectDefaultMetrics();
export const handler = createMetricsHandler();
export const fetchH = createFetchHandler();
export const http = createHttpMetrics();
export const koa = handler.koa;
export const config = configFromEnv();
export const exporter = startExporter();
export const llm = new LlmMetricsCollector();
export const call = llm.startRequest({ model: 'm', provider: 'openai' });
export const agents = new AgentMetricsCollector();
export const ex = agents.startExecution('a');
export const p = new Pushgateway('http://x');
export const pushed = p.push({ jobName: 'j' });
export const agg = new AggregatorRegistry();
export const cl = agg.clusterMetrics();
export const regs = [ClusterRegistry, WorkerRegistry, aggregators, linearBuckets, client.register];
export const merged = Registry.aggregate([]);
export const f = fastifyHttp();
export const fm = fastifyMetrics;
export const t1 = testing.parseExposition('');
export const t2 = new testing.MockRegistry();
export const t3 = testing.diffSnapshots('', '');
export const t4 = new testing.MockClock();
export const t5 = testing.metricMatchers;
export const t6 = testing.replay;
export const t7 = testing.synthesize;
export const io = instrumentOpenAI;
export const ia = instrumentAnthropic;
export const im = instrumentMcpClient;
export const lc = createLangChainHandler();
export const me = createMastraExporter();
export const tp = createTraceProcessor();
export const prices = SAMPLE_PRICES;
export class Mine extends Counter<'a'> {}
export default { c, llm, handler };
