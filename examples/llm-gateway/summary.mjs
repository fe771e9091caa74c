// A live line about the traffic, read from the same metrics that Prometheus scrapes: on a terminal one line that
// changes, elsewhere a new line every few seconds.

import { activeRequests, requests, timeToFirstToken, tokens } from './metrics.mjs';

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
  const [requestValues, tokenValues, activeValues, firstTokenValues] = await Promise.all(
    [requests, tokens, activeRequests, timeToFirstToken].map(async (metric) => (await metric.get()).values),
  );
  const firstTokens = (part) =>
    sum(firstTokenValues, ({ metricName }) => metricName === `${timeToFirstToken.name}_${part}`);
  return {
    at: performance.now(),
    requests: sum(requestValues),
    succeeded: sum(requestValues, ({ labels }) => labels.status === 'success'),
    outputTokens: sum(tokenValues, ({ labels }) => labels.type === 'output'),
    active: sum(activeValues),
    streams: firstTokens('count'),
    firstTokenSeconds: firstTokens('sum'),
  };
}

function describe(before, now) {
  const seconds = (now.at - before.at) / 1000;
  const requestsEnded = now.requests - before.requests;
  const streams = now.streams - before.streams;
  const firstToken =
    streams > 0 ? `${((now.firstTokenSeconds - before.firstTokenSeconds) / streams).toFixed(2)} s` : '-';
  const ok = now.requests > 0 ? `${((100 * now.succeeded) / now.requests).toFixed(1)} %` : '-';
  return [
    `${now.requests} requests (${ok} ok)`,
    `${(requestsEnded / seconds).toFixed(1)}/s`,
    `${now.active} in flight`,
    `first token ${firstToken}`,
    `${((now.outputTokens - before.outputTokens) / seconds).toFixed(0)} tokens/s`,
  ].join(' | ');
}

function sum(values, matches = () => true) {
  return values.filter(matches).reduce((total, { value }) => total + value, 0);
}
