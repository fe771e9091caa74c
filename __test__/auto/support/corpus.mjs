// Answers a corpus of requests with a server, and prints the metrics of its HTTP server. An argument says whether the program
// uses the middleware by hand; the zero-code mode is a flag of Node.js.

import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { register } from '@llm-devops/prometheus-metrics';

export const byHand = process.argv[2] === 'hand';
export const options = { ignore: ['/ignored'] };

const REQUESTS = [
  ['GET', '/api/a/items/1'],
  ['GET', '/api/b/items/2?with=query'],
  ['GET', '/api/c/items/%C3%BC'],
  ['HEAD', '/api/a/items/3'],
  ['OPTIONS', '/api/a/items/3'],
  ['POST', '/api/a/items/3', 'a body'],
  ['GET', '/api/a/fail'],
  ['GET', '/api/a/'],
  ['GET', '/api/a/g/deep/leaf'],
  ['GET', '/mounted/here/1'],
  ['GET', '/mounted/deep/1'],
  ['GET', '/mounted/refused'],
  ['GET', '/one'],
  ['GET', '/two'],
  ['GET', '/regexgex'],
  ['GET', '/files/a/b/c.txt'],
  ['GET', '/early'],
  ['GET', '/%E0%A4%A'],
  ['PURGE', '/api/a/items/1'],
  ...Array.from({ length: 20 }, (_, at) => ['GET', `/scan/${at}.php`]),
  ['GET', '/'],
];

/** Asks a server, prints what was recorded, and ends the process. */
export async function answerCorpus(server) {
  if (!server.listening) await once(server, 'listening');
  const { port } = server.address();
  for (const [method, path, body] of REQUESTS) {
    const request = http.request({ port, method, path, agent: false });
    request.end(body);
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'close');
  }
  // Without a ledger of its own: a request that the middleware ignores.
  if (byHand) await (await fetch(`http://localhost:${port}/ignored`)).text();
  // A client that leaves before the answer.
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('GET /never HTTP/1.1\r\nhost: here\r\n\r\n');
  await wait(100);
  socket.destroy();

  let lines = [];
  for (let left = 100; left > 0; left--) {
    lines = (await register.metrics())
      .split('\n')
      .filter((line) =>
        /^llmdevops_http_(?:requests_total|active_requests|re\w+_size_bytes_(?:sum|count))\{/.test(line),
      );
    if (lines.some((line) => line.includes('aborted')) && !lines.some((line) => /active.* [1-9]/.test(line))) break;
    await wait(20);
  }
  console.log(JSON.stringify(lines.sort()));
  process.exit();
}
