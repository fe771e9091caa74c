// Opens and closes servers. An error about a taken port names the setting to change, and closing has a time limit.

import { once } from 'node:events';

/** A wrong setting. It is reported without a stack, because the program is not at fault. */
export class SettingError extends Error {}

/** @returns {Promise<string>} the base URL. */
export async function listen(server, { host, port, setting }) {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    if (error.code === 'EADDRINUSE') {
      throw new SettingError(`Port ${port} is taken. Set ${setting} to another port, or to 0 for any free one.`);
    }
    if (error.code === 'EACCES') {
      throw new SettingError(`Port ${port} needs privileges. Set ${setting} to a port above 1023.`);
    }
    throw error;
  }
  const { address, family, port: actual } = server.address();
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`;
}

/** Waits for running requests during the grace time, then closes their connections. */
export async function close(server, graceMs) {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(timer);
}
