// Connects the parts: the model server, the gateway, the metrics endpoint, the agents and the load.

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

/** Starts all servers. If a port is taken, it closes those that are already open. */
export async function startService({ host, gatewayPort, metricsPort, timeoutMs, load, startCall }) {
  const opened = [];
  const open = async (server, address) => {
    const url = await listen(server, address);
    opened.unshift(server);
    return url;
  };
  const stops = [];
  // In reverse order of opening: the gateway closes before the model server that it needs.
  const closeAll = async () => {
    await Promise.all(stops.map((stop) => stop()));
    for (const server of opened) await close(server, 1000);
  };

  try {
    const metricsUrl = await open(createServer(createMetricsHandler({ page: true })), {
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
      pageUrl: `${metricsUrl}/`,
      metricsUrl: `${metricsUrl}/metrics`,
      modelServerUrl,
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
