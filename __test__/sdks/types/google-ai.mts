// The instrumentations accept the types of the real SDKs.

import { GoogleGenAI } from '@google/genai';
import { AgentMetricsCollector, LlmMetricsCollector } from '@llm-devops/prometheus-metrics';
import {
  createAiSdkMiddleware,
  type InstrumentAiSdkOptions,
  instrumentAiSdk,
} from '@llm-devops/prometheus-metrics/ai-sdk';
import { instrumentGoogleGenAI, type Uninstall } from '@llm-devops/prometheus-metrics/google-genai';
import * as ai7 from 'ai';
import * as test7 from 'ai/test';
import * as ai5 from 'ai5';
import * as test5 from 'ai5/test';
import * as ai6 from 'ai6';
import * as test6 from 'ai6/test';

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

const middleware = createAiSdkMiddleware({ collector, providers: { x: 'vllm' }, labels: { tenant: 'acme' } });
ai5.wrapLanguageModel({ model: new test5.MockLanguageModelV2(), middleware });
ai6.wrapLanguageModel({ model: new test6.MockLanguageModelV3(), middleware });
ai7.wrapLanguageModel({ model: new test7.MockLanguageModelV4(), middleware });
ai6.wrapEmbeddingModel({ model: new test6.MockEmbeddingModelV3(), middleware });
ai7.wrapEmbeddingModel({ model: new test7.MockEmbeddingModelV4(), middleware });
ai6.wrapImageModel({ model: new test6.MockImageModelV3(), middleware });

// @ts-expect-error A client is needed.
instrumentGoogleGenAI();
// @ts-expect-error There is no such option.
instrumentAiSdk({ agent: true });
