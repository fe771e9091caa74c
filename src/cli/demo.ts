/**
 * Runs an endpoint with moving metrics of a simulated application, so that the live page can be seen at once.
 */
import { setInterval } from 'node:timers';
import { api } from '../realm';
import { writeLine } from './terminal';
import { CommandError, numberOf, textOf, type Values } from './values';

const ROUND_MS = 250;
const ROUTES = ['/search', '/cart', '/orders/:id'];
const MODELS = [
  { provider: 'openai', model: 'gpt-4o-mini', price: { input: 0.15, output: 0.6 } },
  { provider: 'anthropic', model: 'claude-haiku', price: { input: 0.8, output: 4 } },
];

export async function demo(_operands: string[], values: Values): Promise<number> {
  const port = numberOf(values, 'port', 9464, 0);
  const host = textOf(values, 'host') ?? '127.0.0.1';
  const record = application();
  let url: string;
  try {
    ({ url } = await api.startExporter({ host, port, collectorsProcess: true, collectorsRuntime: true }));
  } catch (error) {
    throw new CommandError(`${(error as Error).message}${port === 0 ? '' : ' (--port 0 takes a free port)'}`);
  }
  if (url === '') throw new CommandError('Expected metrics to be enabled, but METRICS_ENABLED is false');
  record();
  // The timer keeps the process alive.
  setInterval(record, ROUND_MS);
  writeLine(`Page     ${url}/\nMetrics  ${url}${api.configFromEnv().path}\nPress Ctrl-C to stop.`);
  return 0;
}

/** @returns records a quarter of a second of the application's work */
function application(): () => void {
  const duration = new api.Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer a request.',
    labelNames: ['route', 'status'],
  });
  const queue = new api.Gauge({ name: 'jobs_waiting', help: 'Jobs that wait for a worker.' });
  const llm = new api.LlmMetricsCollector({
    prices: Object.fromEntries(MODELS.map(({ model, price }) => [model, price])),
  });
  let round = 0;
  return () => {
    // Load rises and falls within a minute.
    const load = 1 + Math.sin((round++ / 240) * 2 * Math.PI) / 2;
    for (const [at, route] of ROUTES.entries()) {
      for (let left = Math.round((load * 8 * Math.random()) / (at + 1)); left > 0; left--) {
        const status = Math.random() < 0.03 ? '500' : '200';
        duration.observe({ route, status }, (at + 1) * 0.02 * load * Math.exp(Math.random() * 2 - 1));
      }
    }
    queue.set(Math.round(load * 10 + Math.random() * 4));
    if (Math.random() < load / 2) llm.recordRequest(answered(load));
  };
}

function answered(load: number) {
  const { provider, model } = MODELS[Math.random() < 0.7 ? 0 : 1];
  const timeToFirstTokenMs = 400 * load * Math.random();
  const outputTokens = Math.round(50 + Math.random() * 400);
  const status = Math.random() < 0.04 ? ('timeout' as const) : ('success' as const);
  const durationMs = timeToFirstTokenMs + outputTokens * 8;
  return {
    provider,
    model,
    operation: 'chat' as const,
    status,
    inputTokens: 900,
    outputTokens,
    timeToFirstTokenMs,
    durationMs,
  };
}
