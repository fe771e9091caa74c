// Starts an exporter on the same port in two workers of node:cluster, and prints what each worker got.

const cluster = require('node:cluster');
const { startExporter } = require('@llm-devops/prometheus-metrics');

const port = Number(process.argv[2]);
if (cluster.isPrimary) {
  const told = [];
  for (let n = 0; n < 2; n++) {
    cluster.fork().on('message', (message) => {
      told.push(message);
      if (told.length < 2) return;
      process.stdout.write(JSON.stringify(told));
      for (const worker of Object.values(cluster.workers)) worker.kill();
    });
  }
} else {
  startExporter({ host: '127.0.0.1', port }).then(
    () => process.send({ listens: true }),
    ({ code, message }) => process.send({ code, message }),
  );
  // The exporter does not keep the worker alive, and its port must stay taken.
  setInterval(() => {}, 1000);
}
