/**
 * What measures the OpenAI Agents SDK, and nothing else.
 */
export {
  type AgentSpanLike,
  createTraceProcessor,
  type TraceProcessor,
  type TraceProcessorOptions,
} from '../instrumentation/openai-agents/processor';
