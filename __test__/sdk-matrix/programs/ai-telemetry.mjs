import { instrumentAiSdk } from '@llm-devops/prometheus-metrics/ai-sdk';
import { generateText, streamText } from 'ai';
import { ownModel, refused } from './ai-model.mjs';
import { drain, fails, measured } from './measured.mjs';

await measured(async ({ llm, agents }) => {
  const uninstall = instrumentAiSdk({ collector: llm, agents });
  const model = ownModel('hi', 'hi', refused());
  const telemetry = { functionId: 'helper' };
  await generateText({ model, prompt: 'hello', telemetry });
  await drain(streamText({ model, prompt: 'hello' }).textStream);
  await fails(generateText({ model, prompt: 'hello' }));
  uninstall();
});
