// The tools of the agents, as functions of their arguments and a signal. They know nothing about metrics.

import { setTimeout as sleep } from 'node:timers/promises';

/** The time limit of a tool. */
export const TOOL_TIMEOUT_MS = 400;

export const TOOLS = new Map([
  ['search', search],
  ['fetch_page', fetchPage],
  ['run_sql', runSql],
  ['refund', refund],
  ['calculator', ({ terms }) => terms.reduce((sum, term) => sum + term, 0)],
]);

async function search({ query }, signal) {
  await pause([20, 90], signal);
  return [`https://docs.example/${encodeURIComponent(query)}`, 'https://docs.example/metrics'];
}

async function fetchPage({ url }, signal) {
  // This host never answers.
  if (new URL(url).host === 'slow.example') await pause([60_000, 60_000], signal);
  await pause([30, 150], signal);
  return `The text of ${url}`;
}

async function runSql({ sql }, signal) {
  await pause([10, 60], signal);
  if (!/\bfrom\b/i.test(sql)) throw new Error(`Expected a table in ${sql}`);
  return [{ service: 'gateway', errors: 12 }];
}

async function refund({ usd }, signal) {
  await pause([5, 15], signal);
  // The status is that of an HTTP error; the collector counts it as denied.
  if (usd > 100) throw Object.assign(new Error(`${usd} dollars need a person's approval`), { status: 403 });
  return { refunded: usd };
}

/**
 * Throws the signal's reason if it is aborted, as fetch() does, so that the caller can tell a timeout from a cancelled
 * request.
 */
async function pause([low, high], signal) {
  const ended = await sleep(low + Math.random() * (high - low), true, { signal }).catch(() => false);
  if (!ended) throw signal.reason;
}
