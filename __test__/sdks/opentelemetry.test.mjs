// Tests that exemplars contain the current trace of OpenTelemetry's own API.

import { LlmMetricsCollector, openMetricsContentType, Registry } from '@llm-devops/prometheus-metrics';
import { context, TraceFlags, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import test from 'ava';

const TRACE = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

test('a request within a span has its trace, across awaits; one without a span has no trace', async (t) => {
  t.true(context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  const registry = new Registry();
  registry.setContentType(openMetricsContentType);
  const llm = new LlmMetricsCollector({ registry });
  const target = { model: 'm', provider: 'p', durationMs: 1 };
  const exemplar = async () => /llm_request_duration_seconds_bucket.* # (\{.*\}) /.exec(await registry.metrics())?.[1];

  llm.recordRequest(target);
  const dropped = trace.setSpanContext(context.active(), { ...TRACE, traceFlags: TraceFlags.NONE });
  context.with(dropped, () => llm.recordRequest(target));
  t.is(await exemplar(), undefined);

  const sampled = trace.setSpanContext(context.active(), { ...TRACE, traceFlags: TraceFlags.SAMPLED });
  await context.with(sampled, async () => {
    await null;
    llm.startRequest(target).end();
  });
  t.is(await exemplar(), `{span_id="${TRACE.spanId}",trace_id="${TRACE.traceId}"}`);
});
