// Reads and writes server-sent events as chat completions use them: one `data:` line per event, then an empty line.

/** Yields the payloads of a stream of bytes as they arrive. */
export async function* readEvents(body) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data: ')) yield line.slice('data: '.length).trimEnd();
    }
  }
}

export function formatEvent(payload) {
  return `data: ${payload}\n\n`;
}
