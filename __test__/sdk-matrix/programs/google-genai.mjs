import { GoogleGenAI } from '@google/genai';
import { instrumentGoogleGenAI } from '@llm-devops/prometheus-metrics/google-genai';
import { drain, fails, measured } from './measured.mjs';
import { events, json } from './support/wire-server.mjs';

const answer = (text) => ({
  candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: {
    promptTokenCount: 10,
    cachedContentTokenCount: 4,
    candidatesTokenCount: 3,
    thoughtsTokenCount: 2,
    totalTokenCount: 15,
  },
});

await measured(async ({ wire, llm }) => {
  const ai = new GoogleGenAI({ apiKey: 'k', httpOptions: { baseUrl: wire.url } });
  const uninstall = instrumentGoogleGenAI(ai, { collector: llm, provider: 'google' });
  const asked = { model: 'gemini-2.5-flash', contents: 'hello' };
  wire.answer(json(answer('hi')), events([answer('h'), answer('i')]));
  await ai.models.generateContent(asked);
  await drain(await ai.models.generateContentStream(asked));
  wire.answer(json({ error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' } }, { status: 400 }));
  await fails(ai.models.generateContent(asked));
  uninstall();
  wire.answer(json(answer('not measured')));
  await ai.models.generateContent(asked);
});
