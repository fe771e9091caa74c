import 'reflect-metadata';
import { createHttpMetrics } from '@llm-devops/prometheus-metrics';
import { All, Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { answerCorpus, byHand, options } from '../corpus.mjs';

async function nest() {
  class Routes {
    item(id) {
      return id;
    }
    fail() {
      throw new Error('as it was told');
    }
    file() {
      return 'file';
    }
    never() {
      return new Promise(() => {});
    }
    ignored() {
      return 'ignored';
    }
  }
  const route = (method, path, key) =>
    method(path)(Routes.prototype, key, Object.getOwnPropertyDescriptor(Routes.prototype, key));
  Param('id')(Routes.prototype, 'item', 0);
  route(Get, 'api/:tenant/items/:id', 'item');
  route(Get, 'api/:tenant/fail', 'fail');
  route(All, 'files/*path', 'file');
  route(Get, 'never', 'never');
  route(Get, 'ignored', 'ignored');
  Controller()(Routes);
  class Root {}
  Module({ controllers: [Routes] })(Root);
  const app = await NestFactory.create(Root, new ExpressAdapter(), { logger: false });
  if (byHand) app.use(createHttpMetrics(options));
  await app.listen(0);
  return app.getHttpServer();
}

await answerCorpus(await nest());
