import { createTraceProcessor } from '@llm-devops/prometheus-metrics/openai-agents';
import { Agent, OpenAIProvider, Runner, setTraceProcessors, tool } from '@openai/agents';
import { z } from 'zod';
import { fails, measured } from './measured.mjs';
import { refusal, response } from './support/chat-answers.mjs';

await measured(async ({ wire, llm, agents }) => {
  setTraceProcessors([createTraceProcessor({ collector: agents, llm })]);
  const modelProvider = new OpenAIProvider({ apiKey: 'k', baseURL: `${wire.url}/v1`, useResponses: true });
  const runner = new Runner({ modelProvider });
  const add = tool({ name: 'add', description: 'Adds', parameters: z.object({}), execute: () => '3' });
  const agent = new Agent({ name: 'helper', model: 'gpt-4o-mini', tools: [add] });
  wire.answer(response([['add', {}]]), response('3'), refusal(401));
  await runner.run(agent, 'hello');
  await fails(runner.run(agent, 'hello'));
});
