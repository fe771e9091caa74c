// A thread whose clients hold many connections to one port; each connection that is closed is replaced. It has a thread of
// its own, so that the probes of the test get their requests written.

import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { port, count, addresses, request, reads } = workerData;
let opened = 0;

function connect() {
  const socket = net.connect({ port, host: '127.0.0.1', localAddress: addresses[opened++ % addresses.length] });
  socket.on('connect', () => {
    if (request !== '') socket.write(request);
  });
  if (reads) socket.resume();
  socket.on('error', () => {});
  socket.on('close', () => setTimeout(connect, 500 + Math.random() * 1500));
  // A client that does not read does not notice that its connection was closed.
  if (opened === (reads ? count + 20 : count)) parentPort.postMessage('held');
}

for (let n = 0; n < count; n++) connect();
