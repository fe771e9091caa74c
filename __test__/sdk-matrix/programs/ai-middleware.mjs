import { createAiSdkMiddleware } from '@llm-devops/prometheus-metrics/ai-sdk';
import { APICallError, generateText, streamText, wrapLanguageModel } from 'ai';
import { ownModel } from './ai-model.mjs';
import { drain, fails, measured } from './measured.mjs';

await measured(async ({ llm }) => {
  const refused = new APICallError({
    message: 'no',
    statusCode: 401,
    url: 'u',
    requestBodyValues: {},
    isRetryable: false,
  });
  const middleware = createAiSdkMiddleware({ collector: llm });
  const model = wrapLanguageModel({ model: ownModel('hi', 'hi', refused), middleware });
  await generateText({ model, prompt: 'hello' });
  await drain(streamText({ model, prompt: 'hello' }).textStream);
  await fails(generateText({ model, prompt: 'hello' }));
});
