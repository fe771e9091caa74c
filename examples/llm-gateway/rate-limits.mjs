// Records the rate limits that a provider reports in the headers of each answer.

import { llm } from './metrics.mjs';

export function recordRateLimits(target, headers) {
  for (const resource of ['requests', 'tokens']) {
    const limit = amount(headers.get(`x-ratelimit-limit-${resource}`));
    const remaining = amount(headers.get(`x-ratelimit-remaining-${resource}`));
    const seconds = amount(headers.get(`x-ratelimit-reset-${resource}`));
    const resetAt = seconds === undefined ? undefined : Date.now() + seconds * 1000;
    llm.setRateLimit(target, resource, { limit, remaining, resetAt });
  }
}

// A missing or invalid header is unknown, not zero.
function amount(header) {
  const value = Number.parseFloat(header ?? '');
  return Number.isFinite(value) ? value : undefined;
}
