// The gateway's own gentle load: a few chat requests a second, most of them streamed, so that there is something
// to see. One client in twenty loses patience and leaves half way.

import { setTimeout as sleep } from 'node:timers/promises';
import { MODELS } from './models.mjs';
import { readEvents } from './sse.mjs';

const PROMPTS = [
  'Summarise the incident of last night in three sentences.',
  'Which of our services has the highest error rate, and since when?',
  'Write a haiku about a histogram.',
  'Translate "the cache is warm" into French.',
];

/** @returns a function that stops the load and resolves when its last request has ended. */
export function startLoad(chatUrl, { pauseMs = 300 } = {}) {
  const stop = new AbortController();
  const running = new Set();

  const loop = async () => {
    while (!stop.signal.aborted) {
      // Whatever becomes of a request, the gateway has counted it.
      const request = chatOnce(chatUrl, stop.signal).catch(() => {});
      running.add(request);
      request.finally(() => running.delete(request));
      await sleep(Math.random() * 2 * pauseMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  };
  const ended = loop();

  return async () => {
    stop.abort();
    await ended;
    await Promise.all(running);
  };
}

async function chatOnce(chatUrl, stopSignal) {
  const patience = new AbortController();
  const leave = () => patience.abort();
  stopSignal.addEventListener('abort', leave, { once: true });
  const timer = Math.random() < 0.05 ? setTimeout(leave, 250) : undefined;
  try {
    const stream = Math.random() < 0.7;
    const answer = await fetch(chatUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: pick([...MODELS.keys()]),
        messages: [{ role: 'user', content: pick(PROMPTS) }],
        stream,
      }),
      signal: patience.signal,
    });
    if (!stream) return await answer.text();
    for await (const _event of readEvents(answer.body));
  } finally {
    clearTimeout(timer);
    stopSignal.removeEventListener('abort', leave);
  }
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}
