/**
 * Exports the trace processor that measures the OpenAI Agents SDK.
 */
export {
  type AgentSpanLike,
  createTraceProcessor,
  type TraceProcessor,
  type TraceProcessorOptions,
} from '../instrumentation/openai-agents/processor';
