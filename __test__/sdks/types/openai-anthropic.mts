// The instrumentations accept the clients and classes of the real SDKs.

import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk';
import Anthropic, { BaseAnthropic } from '@anthropic-ai/sdk';
import { AnthropicVertex } from '@anthropic-ai/vertex-sdk';
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
class Own extends OpenAI {}
instrumentOpenAI(Own);
collector.recordAnswer(
  { model: 'm', provider: 'p' },
  { inputTokens: 1, otherModels: [{ model: 'n', outputTokens: 2 }] },
);
collector.startRequest({ model: 'm', provider: 'p' }).end({ usageFollows: true });
// @ts-expect-error not a client
instrumentOpenAI({});
// @ts-expect-error not an option
instrumentOpenAI(OpenAI, { usage: true });

const others: InstrumentAnthropicOptions = { collector, provider: 'own' };
instrumentAnthropic(new Anthropic(), others)();
for (const Class of [Anthropic, BaseAnthropic, AnthropicBedrock, AnthropicVertex]) instrumentAnthropic(Class);
instrumentAnthropic(new AnthropicBedrock());
instrumentAnthropic(new AnthropicVertex());
// @ts-expect-error another SDK's client
instrumentAnthropic(new OpenAI());
// @ts-expect-error an option of the other
instrumentAnthropic(Anthropic, { includeUsage: true });
