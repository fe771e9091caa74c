// The instrumentations accept the types of the real SDKs.

import { GoogleGenAI } from '@google/genai';
import { AgentMetricsCollector, LlmMetricsCollector } from '@llm-devops/prometheus-metrics';
import { type InstrumentAiSdkOptions, instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { instrumentGoogleGenAI, type Uninstall } from '@llm-devops/prometheus-metrics/google-genai';

const ai = new GoogleGenAI({ apiKey: 'k' });
const collector = new LlmMetricsCollector();
const agents = new AgentMetricsCollector();

const uninstall: Uninstall = instrumentGoogleGenAI(ai);
instrumentGoogleGenAI(ai, { collector, provider: 'google', providers: { 'llm.example.com': 'gateway' } });
uninstall();

const options: InstrumentAiSdkOptions = { collector, providers: { 'my-gateway': 'vllm' }, agents: true };
const taken: Uninstall = instrumentAiSdk(options);
instrumentAiSdk({ agents });
instrumentAiSdk({ agents: { collector: agents, finalTools: ['answer'] } });
taken();

// @ts-expect-error A client is needed.
instrumentGoogleGenAI();
// @ts-expect-error There is no such option.
instrumentAiSdk({ agent: true });
