// The lines that agent frameworks must record, to compare with `recorded`. Each answer of `chat-answers.mjs` costs 10
// input tokens, 4 of them cached, and 5 output tokens, 2 of them reasoning.

import { recorded } from './recorded.mjs';

export const LABELS = 'model="gpt-4o-mini",provider="openai"';

const present = (lines) => lines.filter((line) => !line.endsWith(' 0'));

/** The lines of successful requests to the model. */
export function requests(count, { tools = 0 } = {}) {
  return present([
    `llm_requests_total{${LABELS},operation="chat",status="success"} ${count}`,
    `llm_request_duration_seconds_count{${LABELS},operation="chat"} ${count}`,
    `llm_tokens_total{${LABELS},type="input"} ${count * 10}`,
    `llm_tokens_total{${LABELS},type="output"} ${count * 5}`,
    `llm_token_details_total{${LABELS},detail="cache_read"} ${count * 4}`,
    `llm_token_details_total{${LABELS},detail="reasoning"} ${count * 2}`,
    `llm_unpriced_requests_total{${LABELS}} ${count}`,
    `llm_finish_reasons_total{${LABELS},reason="tool_calls"} ${tools}`,
    `llm_finish_reasons_total{${LABELS},reason="stop"} ${count - tools}`,
  ]);
}

/**
 * The lines of executions of an agent with one outcome: their number, and over all of them the steps `llm` (`failed` of
 * them without tokens), the tool calls, all steps, and the error at the end.
 */
export function executions(
  agent,
  { count = 1, status = 'success', llm = 0, failed = 0, tools = 0, more = 0, error } = {},
) {
  const answered = llm - failed;
  return present([
    `agent_executions_total{agent_type="${agent}",status="${status}"} ${count}`,
    `agent_execution_duration_seconds_count{agent_type="${agent}"} ${count}`,
    `agent_steps_total{agent_type="${agent}",step_type="llm"} ${llm}`,
    `agent_step_duration_seconds_count{agent_type="${agent}",step_type="llm"} ${llm}`,
    `agent_steps_per_execution_sum{agent_type="${agent}"} ${llm + more}`,
    `agent_steps_per_execution_count{agent_type="${agent}"} ${count}`,
    `agent_model_calls_per_execution_sum{agent_type="${agent}"} ${llm}`,
    `agent_model_calls_per_execution_count{agent_type="${agent}"} ${count}`,
    `agent_tool_calls_per_execution_sum{agent_type="${agent}"} ${tools}`,
    `agent_tool_calls_per_execution_count{agent_type="${agent}"} ${count}`,
    ...(error === undefined ? [] : [`agent_errors_total{agent_type="${agent}",error_type="${error}"} ${count}`]),
    `agent_tokens_total{agent_type="${agent}",type="input"} ${answered * 10}`,
    `agent_tokens_total{agent_type="${agent}",type="output"} ${answered * 5}`,
  ]);
}

/** The lines of other steps. */
export const steps = (agent, type, count = 1) => [
  `agent_steps_total{agent_type="${agent}",step_type="${type}"} ${count}`,
  `agent_step_duration_seconds_count{agent_type="${agent}",step_type="${type}"} ${count}`,
];

/** The lines of tool calls. */
export const called = (agent, name, status, count = 1) => [
  `agent_tool_calls_total{agent_type="${agent}",tool_name="${name}",status="${status}"} ${count}`,
  `agent_tool_call_duration_seconds_count{agent_type="${agent}",tool_name="${name}"} ${count}`,
];

/**
 * The whole exposition in any order. Families follow the catalogue's order; series follow the order of their creation.
 */
export async function holds(t, registry, ...expected) {
  t.deepEqual((await recorded(registry)).sort(), expected.flat().sort());
}
