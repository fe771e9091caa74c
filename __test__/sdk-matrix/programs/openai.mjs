import { instrumentOpenAI } from '@llm-devops/prometheus-metrics/openai';
import OpenAI from 'openai';
import { drain, fails, measured } from './measured.mjs';
import { chat, chatStream, refusal } from './support/chat-answers.mjs';
import { json } from './support/wire-server.mjs';

await measured(async ({ wire, llm }) => {
  const client = new OpenAI({ apiKey: 'k', baseURL: `${wire.url}/v1`, maxRetries: 1 });
  const uninstall = instrumentOpenAI(client, { collector: llm, provider: 'openai' });
  const asked = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] };
  const again = json({ error: { message: 'slow down' } }, { status: 429, headers: { 'retry-after-ms': '1' } });
  wire.answer(chat('hi'), again, chatStream(['h', 'i']), refusal(401));
  await client.chat.completions.create(asked);
  await drain(
    await client.chat.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } }),
  );
  await fails(client.chat.completions.create(asked));
  const usage = { prompt_tokens: 3, total_tokens: 3 };
  const data = [{ object: 'embedding', index: 0, embedding: [0.5] }];
  wire.answer(json({ object: 'list', model: 'text-embedding-3-small', data, usage }));
  await client.embeddings.create({ model: 'text-embedding-3-small', input: 'a', encoding_format: 'float' });
  uninstall();
  wire.answer(chat('not measured'));
  await client.chat.completions.create(asked);
});
