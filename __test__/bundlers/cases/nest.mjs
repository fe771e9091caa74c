/**
 * NestJS: `nest build` with its builders. All leave packages outside, so `node_modules` is deployed with the build.
 */

import { check } from '../../support/tally.mjs';
import { installFull } from '../packed.mjs';
import { application, expectOutput, move } from '../program.mjs';
import { run } from '../shell.mjs';

const APPLICATION = {
  'nest-cli.json': { collection: '@nestjs/schematics', sourceRoot: 'src' },
  'tsconfig.json': {
    compilerOptions: {
      module: 'commonjs',
      moduleResolution: 'node10',
      ignoreDeprecations: '6.0',
      target: 'ES2022',
      esModuleInterop: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      strict: true,
      skipLibCheck: true,
      types: ['node'],
      rootDir: './src',
      outDir: './dist',
    },
    include: ['src'],
  },
  'src/main.ts': `import 'reflect-metadata';
import { AddressInfo } from 'node:net';
import { AgentMetricsCollector, Counter, createMetricsHandler, Histogram, Registry } from '@llm-devops/prometheus-metrics';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const jobs = new Counter({ name: 'jobs_total', help: 'Jobs', labelNames: ['queue'] });
const seconds = new Histogram({ name: 'job_seconds', help: 'Duration', labelNames: ['queue'], buckets: [1, 2] });
const registry = new Registry();
const agents = new AgentMetricsCollector({ registry });

@Controller()
class Work {
  @Get('work')
  async work(): Promise<string> {
    jobs.inc({ queue: 'mail' }, 42);
    seconds.observe({ queue: 'mail' }, 1.5);
    await agents.run('writer', async () => undefined);
    return 'done';
  }
}

@Module({ controllers: [Work] })
class Application {}

async function main(): Promise<void> {
  const app = await NestFactory.create(Application, { logger: false });
  app.use(createMetricsHandler({ selfMetrics: false }));
  const server = await app.listen(0, '127.0.0.1');
  const url = \`http://127.0.0.1:\${(server.address() as AddressInfo).port}\`;
  await fetch(\`\${url}/work\`);
  process.stdout.write(await (await fetch(\`\${url}/metrics\`)).text());
  console.log((await registry.metrics()).match(/agent_executions_total\\{.*status="(success)"\\} (1)/)?.slice(1).join(' '));
  await app.close();
}

void main();
`,
};

export async function checkNest() {
  for (const builder of ['tsc', 'webpack', 'rspack']) {
    await check(`nest build --builder ${builder}`, async () => {
      const folder = application(APPLICATION);
      installFull(folder);
      await run(folder, [process.execPath, 'node_modules/@nestjs/cli/bin/nest.js', 'build', '--builder', builder]);
      await expectOutput(move(folder, '.'), [process.execPath, 'dist/main.js']);
    });
  }
}
