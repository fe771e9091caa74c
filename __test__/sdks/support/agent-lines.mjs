// What agents' frameworks are expected to record, as lines to compare with `recorded`: the answers of `chat-answers.mjs`
// each cost 10 tokens in, 4 of them cached, and 5 out, 2 of them reasoning.

import { recorded } from './recorded.mjs';

export const LABELS = 'model="gpt-4o-mini",provider="openai"';

const present = (lines) => lines.filter((line) => !line.endsWith(' 0'));

/** What requests to the model record that end well. */
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
 * What executions of an agent record that all end alike: how many, and over all of them their steps `llm`, of which `failed`
 * brought no tokens, their calls of tools, all their steps, and of which error each ended.
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
    `agent_tool_calls_per_execution_sum{agent_type="${agent}"} ${tools}`,
    `agent_tool_calls_per_execution_count{agent_type="${agent}"} ${count}`,
    ...(error === undefined ? [] : [`agent_errors_total{agent_type="${agent}",error_type="${error}"} ${count}`]),
    `agent_tokens_total{agent_type="${agent}",type="input"} ${answered * 10}`,
    `agent_tokens_total{agent_type="${agent}",type="output"} ${answered * 5}`,
  ]);
}

/** What steps of another kind record. */
export const steps = (agent, type, count = 1) => [
  `agent_steps_total{agent_type="${agent}",step_type="${type}"} ${count}`,
  `agent_step_duration_seconds_count{agent_type="${agent}",step_type="${type}"} ${count}`,
];

/** What calls of a tool record. */
export const called = (agent, name, status, count = 1) => [
  `agent_tool_calls_total{agent_type="${agent}",tool_name="${name}",status="${status}"} ${count}`,
  `agent_tool_call_duration_seconds_count{agent_type="${agent}",tool_name="${name}"} ${count}`,
];

/** The whole exposition, whatever the order: that of families is the catalogue's, that of series when they were made. */
export async function holds(t, registry, ...expected) {
  t.deepEqual((await recorded(registry)).sort(), expected.flat().sort());
}
