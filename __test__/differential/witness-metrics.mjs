// Makes the metrics that witnesses use, and reads their results. A client is this library or a peer.

export const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The result of a call, or the error that it throws. */
export async function outcome(call) {
  try {
    return await call();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

/** A scrape without HELP, TYPE and blank lines, one sample per item. */
export async function samples(registry) {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

export function make(client, type, config, ...contentType) {
  const registry = new client.Registry(...contentType);
  const metric = new client[type]({ name: 'm', help: 'Some help', registers: [registry], ...config });
  return { registry, metric };
}

export const counter = (client, config, ...contentType) => make(client, 'Counter', config, ...contentType);
export const gauge = (client, config, ...contentType) => make(client, 'Gauge', config, ...contentType);
export const histogram = (client, config, ...contentType) =>
  make(client, 'Histogram', { buckets: [1], ...config }, ...contentType);
