// @willsoto/nestjs-prometheus: providers of all metric types, default labels, and a Pushgateway.

const http = require('node:http');

module.exports = async ({ require, listen }) => {
  require('reflect-metadata');
  const { Controller, Get, Inject, Module } = require('@nestjs/common');
  const { NestFactory } = require('@nestjs/core');
  const nest = require('@willsoto/nestjs-prometheus');
  const { Pushgateway, register } = require('prom-client');

  const pushed = [];
  const gateway = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    pushed.push(`${request.method} ${request.url}\n${Buffer.concat(chunks)}`);
    response.end();
  });
  const gatewayOrigin = await listen(gateway);

  class Jobs {
    constructor(counter, gauge, histogram, summary, pushgateway) {
      Object.assign(this, { counter, gauge, histogram, summary, pushgateway });
    }

    async work() {
      this.counter.inc({ kind: 'mail' });
      this.gauge.inc();
      this.histogram.observe(0.5);
      this.summary.observe(3);
      await this.pushgateway.pushAdd({ jobName: 'nest', groupings: { instance: 'a' } });
      return 'done';
    }
  }
  const names = ['jobs_total', 'running', 'job_seconds', 'job_bytes'];
  for (const [index, name] of names.entries()) Inject(nest.getToken(name))(Jobs, undefined, index);
  Inject(Pushgateway)(Jobs, undefined, names.length);
  Get('work')(Jobs.prototype, 'work', Object.getOwnPropertyDescriptor(Jobs.prototype, 'work'));
  Controller()(Jobs);

  class Application {}
  Module({
    imports: [
      nest.PrometheusModule.registerAsync({
        global: true,
        useFactory: () => ({
          defaultLabels: { app: 'nest' },
          pushgateway: { url: gatewayOrigin, options: { timeout: 5000 } },
        }),
      }),
    ],
    controllers: [Jobs],
    providers: [
      nest.makeCounterProvider({ name: 'jobs_total', help: 'Jobs', labelNames: ['kind'] }),
      nest.makeGaugeProvider({ name: 'running', help: 'Running' }),
      nest.makeHistogramProvider({ name: 'job_seconds', help: 'Seconds', buckets: [0.1, 1] }),
      nest.makeSummaryProvider({ name: 'job_bytes', help: 'Bytes', percentiles: [0.5] }),
    ],
  })(Application);

  const application = await NestFactory.create(Application, { logger: ['error'] });
  await application.listen(0, '127.0.0.1');
  if ((await register.getMetricsAsJSON()).length < 10) throw new Error('expected default metrics');
  return {
    origin: await application.getUrl(),
    visits: [['/work'], ['/work'], ['/nowhere']],
    texts: [['pushed', () => pushed.join('\n')]],
  };
};
