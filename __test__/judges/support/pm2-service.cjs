// A service that PM2 runs in several processes. Each answers requests on one port and starts an exporter on another one.

const { createServer } = require('node:http');
const { Counter, startExporter } = require('@llm-devops/prometheus-metrics');

const requests = new Counter({ name: 'requests_total', help: 'Requests' });
const server = createServer((_, response) => {
  requests.inc();
  response.end(String(process.pid));
});
// The last request of a process must be answered before it ends, or its client cannot know whether it was counted.
process.on('SIGINT', () => server.close(() => process.exit(0)));

startExporter({ host: '127.0.0.1', port: Number(process.env.EXPORTER_PORT) }).then(() => {
  server.listen(Number(process.env.SERVICE_PORT), '127.0.0.1', () => process.send('ready'));
});
