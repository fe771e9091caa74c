// Puts the parts together: the model server, the gateway in front of it, the metrics endpoint, the load.

import { createServer } from 'node:http';
import { createMetricsHandler } from '@llm-devops/prometheus-metrics';
import { createGateway } from './gateway.mjs';
import { close, listen } from './listening.mjs';
import { startLoad } from './load.mjs';
import { createModelServer } from './model-server.mjs';

/** Starts everything, or nothing: where one port is taken, the servers already open are closed again. */
export async function startService({ host, gatewayPort, metricsPort, timeoutMs, load, onCallEnd }) {
  const opened = [];
  const open = async (server, address) => {
    const url = await listen(server, address);
    opened.unshift(server);
    return url;
  };
  let stopLoad = async () => {};
  // The reverse of the order of opening: the gateway ends before the model server it needs.
  const closeAll = async () => {
    await stopLoad();
    for (const server of opened) await close(server, 1000);
  };

  try {
    const metricsUrl = await open(createServer(createMetricsHandler()), {
      host,
      port: metricsPort,
      setting: 'METRICS_ENDPOINT_PORT',
    });
    const modelServerUrl = await open(createModelServer(), { host: '127.0.0.1', port: 0 });
    const gateway = createGateway({ modelServerUrl, timeoutMs, onCallEnd });
    const gatewayUrl = await open(gateway, { host, port: gatewayPort, setting: 'PORT' });
    const chatUrl = `${gatewayUrl}/v1/chat/completions`;
    if (load) stopLoad = startLoad(chatUrl);
    return { chatUrl, metricsUrl: `${metricsUrl}/metrics`, modelServerUrl, close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
