/**
 * The trace that is going on, as labels of an exemplar: OpenTelemetry's, where a program has it. Its API keeps itself under
 * a registered symbol for all copies of it, so nothing of it is imported, and a program without it pays a look-up.
 */
import { checkedExemplar, type ExemplarLabels } from '../metrics/exemplar';

/** Where version 1 of the API keeps what is registered with it. */
const API = Symbol.for('opentelemetry.js.api.1');
/** The key of the active span within a context. */
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');

/** Set for traces that are kept; an exemplar of another would lead nowhere. */
const SAMPLED = 1;

interface Api {
  context?: { active(): { getValue(key: symbol): Span | undefined } };
}

interface Span {
  spanContext(): { traceId: string; spanId: string; traceFlags: number };
}

/** The sampled trace that is going on here, if any. */
export function traceLabels(): ExemplarLabels | undefined {
  const api = (globalThis as { [API]?: Api })[API];
  if (api?.context === undefined) return undefined;
  try {
    const span = api.context.active().getValue(SPAN)?.spanContext();
    if (span === undefined || (span.traceFlags & SAMPLED) === 0) return undefined;
    return { trace_id: span.traceId, span_id: span.spanId };
  } catch {
    // Somebody else's context manager failed: that is no reason to lose a request.
    return undefined;
  }
}

/**
 * The labels of an exemplar: those that are given, or those of the trace.
 *
 * @throws {LabelError} `INVALID_LABEL_VALUE` for given ones of more than 128 characters, before anything is recorded
 */
export function exemplarLabelsOf({ exemplarLabels }: Exemplary): ExemplarLabels | undefined {
  if (exemplarLabels === undefined) return traceLabels();
  checkedExemplar(exemplarLabels);
  return exemplarLabels;
}

interface Exemplary {
  readonly exemplarLabels?: ExemplarLabels | undefined;
}
