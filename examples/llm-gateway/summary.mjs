// Prints a summary of the traffic from the metrics that Prometheus scrapes. A terminal shows one line that is updated;
// other outputs get a new line every few seconds.

import { register } from '@llm-devops/prometheus-metrics';

/** @returns a function that stops the summary. */
export function startSummary(output) {
  const intervalMs = output.isTTY ? 1000 : 5000;
  let before;
  let stopped = false;

  const show = async () => {
    const now = await readTotals();
    if (stopped) return;
    const line = before === undefined ? 'waiting for traffic' : describe(before, now);
    before = now;
    output.write(output.isTTY ? `\r\x1b[2K${line.slice(0, output.columns - 1)}` : `${line}\n`);
  };
  show();
  const timer = setInterval(show, intervalMs);

  return () => {
    stopped = true;
    clearInterval(timer);
    if (output.isTTY) output.write('\n');
  };
}

async function readTotals() {
  const firstToken = 'llm_streaming_time_to_first_token_seconds';
  return {
    at: performance.now(),
    requests: await total('llm_requests_total'),
    succeeded: await total('llm_requests_total', ({ labels }) => labels.status === 'success'),
    outputTokens: await total('llm_tokens_total', ({ labels }) => labels.type === 'output'),
    active: await total('llm_active_requests'),
    streams: await total(firstToken, ({ metricName }) => metricName?.endsWith('_count')),
    firstTokenSeconds: await total(firstToken, ({ metricName }) => metricName?.endsWith('_sum')),
    costUsd: await total('llm_cost_usd_total'),
    runs: await total('agent_executions_total'),
    runsSucceeded: await total('agent_executions_total', ({ labels }) => labels.status === 'success'),
  };
}

async function total(name, matches = () => true) {
  const { values } = await register.getSingleMetric(`llmdevops_${name}`).get();
  return values.filter(matches).reduce((sum, { value }) => sum + value, 0);
}

function describe(before, now) {
  const seconds = (now.at - before.at) / 1000;
  const grown = (name) => now[name] - before[name];
  const streams = grown('streams');
  return [
    `${now.requests} requests (${percent(now.succeeded, now.requests)} ok)`,
    `${(grown('requests') / seconds).toFixed(1)}/s`,
    `${now.active} in flight`,
    `first token ${streams > 0 ? `${(grown('firstTokenSeconds') / streams).toFixed(2)} s` : '-'}`,
    `${(grown('outputTokens') / seconds).toFixed(0)} tokens/s`,
    `$${now.costUsd.toFixed(4)}`,
    `${now.runs} agent runs (${percent(now.runsSucceeded, now.runs)} ok)`,
  ].join(' | ');
}

function percent(part, whole) {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '-';
}
