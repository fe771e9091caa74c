// Reports the gateway's budget of a month and the rest of it, from the cost that the collector counts.

import { register } from '@llm-devops/prometheus-metrics';
import { llm } from './metrics.mjs';

/** @returns a function that stops following the cost. */
export function followBudget({ name = 'gateway', limitUsd = 50, everyMs = 250 } = {}) {
  const cost = register.getSingleMetric('llmdevops_llm_cost_usd_total');
  const follow = async () => {
    const { values } = await cost.get();
    const spentUsd = values.reduce((sum, { value }) => sum + value, 0);
    llm.setBudget(name, { limitUsd, remainingUsd: Math.max(0, limitUsd - spentUsd), resetAt: nextMonth() });
  };
  follow();
  const timer = setInterval(follow, everyMs);
  return () => clearInterval(timer);
}

function nextMonth() {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1));
}
