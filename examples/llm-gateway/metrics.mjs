// The two collectors that measure everything in this example. They define names, labels, buckets and the series that
// start at 0.

import { AgentMetricsCollector, LlmMetricsCollector } from '@llm-devops/prometheus-metrics';
import { MODELS, PRICES } from './models.mjs';
import { TOOLS } from './tools.mjs';

export const llm = new LlmMetricsCollector({ prices: PRICES });

// Registered models have their series from the start, and failures count under their names.
for (const target of MODELS.values()) llm.registerModel(target);

// Failures of these tools count under their names from the first call on.
export const agents = new AgentMetricsCollector({ tools: [...TOOLS.keys()] });
