// Strangers for attack-connections.mjs: hold connections to a port, each in the way of one attack. It measures nothing.

import net from 'node:net';

const SCRAPE = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
const HALF = 'GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: te';

/** The attacks: `begin` gets a new connection. */
export const KINDS = [
  { id: 'silent', title: 'connect only', begin() {} },
  { id: 'idle', title: 'idle', begin: (socket) => socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n') },
  { id: 'half', title: 'half a head', begin: (socket) => socket.write(HALF) },
  { id: 'slow', title: 'slow header', begin: drip },
  { id: 'unread', title: 'never reading', begin: refuseToRead },
];

/** New connections in each turn, so that the attacker's own loop is not blocked. */
const BATCH = 50;

/** The calls that the bench makes to the strangers. */
export function attacker({ kind, addresses, count }) {
  const { begin } = KINDS.find(({ id }) => id === kind);
  const open = new Set();
  let opened = 0;
  let timer;
  return {
    /** Returns when all connections have been opened once. */
    async start({ port }) {
      const fill = () => {
        for (let n = 0; n < BATCH && open.size < count; n++) {
          const socket = net.connect({ port, host: '127.0.0.1', localAddress: addresses[opened++ % addresses.length] });
          open.add(socket);
          socket.on('connect', () => begin(socket));
          socket.on('error', () => {});
          socket.on('close', () => open.delete(socket));
          if (kind !== 'unread') socket.resume();
        }
      };
      timer = setInterval(fill, 5);
      while (opened < count) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    stop() {
      clearInterval(timer);
      for (const socket of open) socket.destroy();
      return { opened };
    },
  };
}

function drip(socket) {
  socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nA: ');
  const timer = setInterval(() => socket.write('x'), 500);
  socket.on('close', () => clearInterval(timer));
}

function refuseToRead(socket) {
  socket.pause();
  socket.write(SCRAPE);
}
