// Shared by the tests of OpenAI's and Anthropic's SDKs: a client with its instrumentation, its server and the recorded
// samples.

import { collectGarbage } from '../../support/garbage.mjs';
import { collectors, recorded } from './recorded.mjs';
import { WireServer } from './wire-server.mjs';

/** `client` is instrumented and `bare` is not; both are connected to `wire`. */
export async function worldOf(t, { instrument, connect, options = {}, llm = {} }) {
  const wire = await WireServer.start(t);
  const world = collectors({ llm });
  const client = connect(wire.url);
  const bare = connect(wire.url);
  const uninstall = instrument(client, { collector: world.llm, provider: 'p', ...options });
  t.teardown(uninstall);
  return { ...world, wire, client, bare, uninstall, lines: () => short(world.registry) };
}

/** Lines without the labels that all of them share. */
export async function short(registry) {
  const lines = await recorded(registry);
  return lines.map((line) => line.replace('model="m",provider="p",', '').replace('{model="m",provider="p"}', ''));
}

/** All chunks of a stream. */
export async function chunksOf(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

/** The result of a promise: its value, or the error's class, status and message. */
export async function outcome(run) {
  try {
    return { value: await run() };
  } catch (error) {
    const { status, code, message } = error;
    return { error: error.constructor.name, status, code, message };
  }
}

/** Collects garbage until a condition holds. */
export async function collected(holds) {
  for (let round = 0; round < 50; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (await holds()) return true;
  }
  return false;
}
