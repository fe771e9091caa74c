import { createAiSdkMiddleware } from '@llm-devops/prometheus-metrics/ai-sdk';
import { generateText, streamText, wrapLanguageModel } from 'ai';
import { ownModel, refused } from './ai-model.mjs';
import { drain, fails, measured } from './measured.mjs';

await measured(async ({ llm }) => {
  const middleware = createAiSdkMiddleware({ collector: llm });
  const model = wrapLanguageModel({ model: ownModel('hi', 'hi', refused()), middleware });
  await generateText({ model, prompt: 'hello' });
  await drain(streamText({ model, prompt: 'hello' }).textStream);
  await fails(generateText({ model, prompt: 'hello' }));
});
