import { RunnableLambda } from '@langchain/core/runnables';
import { ChatOpenAI } from '@langchain/openai';
import { createLangChainHandler } from '@llm-devops/prometheus-metrics/langchain';
import { drain, fails, measured } from './measured.mjs';
import { chat, chatStream, refusal } from './support/chat-answers.mjs';

await measured(
  async ({ wire, llm, agents }) => {
    const handler = createLangChainHandler({ collector: agents, llm, provider: 'openai' });
    const configuration = { baseURL: `${wire.url}/v1` };
    const make = (model) => new ChatOpenAI({ model, apiKey: 'k', maxRetries: 0, streamUsage: true, configuration });
    const model = make('gpt-4o-mini');
    const callbacks = [handler];
    wire.answer(chat('hi'), chatStream(['h', 'i']), refusal(401), refusal(500), chat('hi'), chat('hi'));
    await model.invoke('hello', { callbacks });
    await drain(await model.stream('hello', { callbacks }));
    await fails(model.invoke('hello', { callbacks }));
    await model.withFallbacks([make('m')]).invoke('hello', { callbacks });
    await RunnableLambda.from((x) => x)
      .pipe(model)
      .invoke('hello', { callbacks, runName: 'helper' });
  },
  { without: /^llm_streaming_chunks_total/ },
);
