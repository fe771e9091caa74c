/**
 * Reads the active trace of OpenTelemetry as labels of an exemplar. OpenTelemetry's API keeps itself under a registered symbol,
 * which all its copies share, so it need not be imported. A program without it pays for one look-up.
 */
import { checkedExemplar, type ExemplarLabels } from '../metrics/exemplar';

/** Version 1 of the API keeps its registrations here. */
const API = Symbol.for('opentelemetry.js.api.1');
/** The key of the active span within a context. */
const SPAN = Symbol.for('OpenTelemetry Context Key SPAN');

/** The flag of traces that are kept. An exemplar of another trace could not be looked up. */
const SAMPLED = 1;

interface Api {
  context?: { active(): { getValue(key: symbol): Span | undefined } };
}

interface Span {
  spanContext(): { traceId: string; spanId: string; traceFlags: number };
}

/** The active trace, if it is sampled. */
export function traceLabels(): ExemplarLabels | undefined {
  const api = (globalThis as { [API]?: Api })[API];
  if (api?.context === undefined) return undefined;
  try {
    const span = api.context.active().getValue(SPAN)?.spanContext();
    if (span === undefined || (span.traceFlags & SAMPLED) === 0) return undefined;
    return { trace_id: span.traceId, span_id: span.spanId };
  } catch {
    // The program's context manager failed. The request must be recorded all the same.
    return undefined;
  }
}

/**
 * The labels of an exemplar: the given ones, or those of the trace.
 *
 * @throws {LabelError} `INVALID_LABEL_VALUE` for given labels of more than 128 characters, before anything is recorded
 */
export function chooseExemplarLabels({ exemplarLabels }: WithExemplar): ExemplarLabels | undefined {
  if (exemplarLabels === undefined) return traceLabels();
  checkedExemplar(exemplarLabels);
  return exemplarLabels;
}

interface WithExemplar {
  readonly exemplarLabels?: ExemplarLabels | undefined;
}
