// Reads and writes JSON over node:http.

/** @returns {Promise<string | undefined>} the body, or undefined if it is longer than the limit. */
export async function readBody(request, bytesMax = 1024 * 1024) {
  const parts = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > bytesMax) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function writeJson(response, status, value) {
  const body = typeof value === 'string' ? value : JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** An error in the format of OpenAI's API, so that clients show its message. */
export function writeError(response, status, type, message) {
  writeJson(response, status, { error: { type, message } });
}
