// NestJS: the endpoint as middleware, metrics of the application's requests, and a counter that a provider owns.
// The file of options has `experimentalDecorators`, as every NestJS project has.
//
//   npx tsx --tsconfig examples/tsconfig.json examples/nestjs.mts
//   curl localhost:3000/items/7
//   curl localhost:3000/metrics

import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { createHttpMetrics, createMetricsHandler, register } from '@llm-devops/prometheus-metrics';
import { Controller, Get, Inject, Injectable, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

@Injectable()
class ItemMetrics {
  // Get or create: a second instance of the provider, for example in a test, does not throw.
  readonly views = register.counter({ name: 'item_views_total', help: 'Items shown', labelNames: ['kind'] });
}

@Controller('items')
class ItemsController {
  constructor(@Inject(ItemMetrics) private readonly metrics: ItemMetrics) {}

  @Get(':id')
  show(@Param('id') id: string) {
    this.metrics.views.inc({ kind: 'book' });
    return `item ${id}`;
  }
}

@Module({ controllers: [ItemsController], providers: [ItemMetrics] })
class AppModule {}

async function bootstrap() {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  app.use(createHttpMetrics({ ignore: ['/metrics', '/health', '/ready'] }), createMetricsHandler());
  const server = await app.listen(Number(process.env.PORT ?? 3000));
  console.log(`http://localhost:${(server.address() as AddressInfo).port}/metrics`);
}

bootstrap();
