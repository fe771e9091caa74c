// The instrumentations accept the clients and classes of the real SDKs.

import Anthropic from '@anthropic-ai/sdk';
import { LlmMetricsCollector } from '@llm-devops/prometheus-metrics';
import { type InstrumentAnthropicOptions, instrumentAnthropic } from '@llm-devops/prometheus-metrics/anthropic';
import library, {
  type InstrumentOpenAIOptions,
  instrumentOpenAI,
  type Uninstall,
} from '@llm-devops/prometheus-metrics/openai';
import OpenAI, { AzureOpenAI } from 'openai';

const collector = new LlmMetricsCollector();
const options: InstrumentOpenAIOptions = { collector, includeUsage: true, provider: 'own', providers: { 'x.y': 'z' } };
const uninstall: Uninstall = instrumentOpenAI(new OpenAI(), options);
uninstall();
instrumentOpenAI(OpenAI);
instrumentOpenAI(AzureOpenAI, { includeUsage: undefined });
instrumentOpenAI(new AzureOpenAI());
library.instrumentOpenAI(OpenAI);
// @ts-expect-error not a client
instrumentOpenAI({});
// @ts-expect-error not an option
instrumentOpenAI(OpenAI, { usage: true });

const others: InstrumentAnthropicOptions = { collector, provider: 'own' };
instrumentAnthropic(new Anthropic(), others)();
instrumentAnthropic(Anthropic);
// @ts-expect-error another SDK's client
instrumentAnthropic(new OpenAI());
// @ts-expect-error an option of the other
instrumentAnthropic(Anthropic, { includeUsage: true });
