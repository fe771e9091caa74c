// The two collectors that measure everything here. Names, labels, buckets and what begins at 0 are theirs.

import { AgentMetricsCollector, LlmMetricsCollector } from '@llm-devops/prometheus-metrics';
import { MODELS, PRICES } from './models.mjs';
import { TOOLS } from './tools.mjs';

export const llm = new LlmMetricsCollector({ prices: PRICES });

// Models that are named here have their series from the start, and their failures counted under their names.
for (const target of MODELS.values()) llm.registerModel(target);

// Tools that are named here have their failures counted under their names from the first one on.
export const agents = new AgentMetricsCollector({ tools: [...TOOLS.keys()] });
