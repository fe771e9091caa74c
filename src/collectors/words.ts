/**
 * The values that labels of LLM and agent metrics may have, as types. The core defines them and the build makes these
 * types from its lists, so a new word is added in the core alone.
 */
export type {
  AgentErrorType,
  ExecutionStatus,
  FinishReason,
  GuardrailResult,
  GuardrailStage,
  Interruption,
  LlmErrorType,
  LlmOperation,
  LlmStatus,
  MediaUnit,
  MemoryOperation,
  Outcome,
  RateLimitResource,
  StepType,
  ToolStatus,
} from '../../dist/words';
