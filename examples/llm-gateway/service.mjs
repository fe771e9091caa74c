// Puts the parts together: the model server, the gateway in front of it, the metrics endpoint, the agents, the load.

import { createServer } from 'node:http';
import { createMetricsHandler } from '@llm-devops/prometheus-metrics';
import { startAgents } from './agent-load.mjs';
import { createAgents } from './agents.mjs';
import { createAsk } from './ask.mjs';
import { followBudget } from './budget.mjs';
import { createGateway } from './gateway.mjs';
import { close, listen } from './listening.mjs';
import { startLoad } from './load.mjs';
import { createModelServer } from './model-server.mjs';

/** Starts everything, or nothing: where one port is taken, the servers already open are closed again. */
export async function startService({ host, gatewayPort, metricsPort, timeoutMs, load, startCall }) {
  const opened = [];
  const open = async (server, address) => {
    const url = await listen(server, address);
    opened.unshift(server);
    return url;
  };
  const stops = [];
  // The reverse of the order of opening: the gateway ends before the model server it needs.
  const closeAll = async () => {
    await Promise.all(stops.map((stop) => stop()));
    for (const server of opened) await close(server, 1000);
  };

  try {
    const metricsUrl = await open(createServer(createMetricsHandler()), {
      host,
      port: metricsPort,
      setting: 'METRICS_ENDPOINT_PORT',
    });
    const modelServerUrl = await open(createModelServer(), { host: '127.0.0.1', port: 0 });
    const ask = createAsk({ modelServerUrl, startCall });
    const gatewayUrl = await open(createGateway({ ask, timeoutMs }), { host, port: gatewayPort, setting: 'PORT' });
    stops.push(followBudget());
    if (load) stops.push(startLoad(gatewayUrl), startAgents(createAgents({ ask })));
    return {
      chatUrl: `${gatewayUrl}/v1/chat/completions`,
      metricsUrl: `${metricsUrl}/metrics`,
      modelServerUrl,
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
