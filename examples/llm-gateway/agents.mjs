// Runs agents. An agent asks its model what to do, runs the tools that the model names, and asks again, until there is
// an answer or the limit of steps is reached. The model's decisions are given by agent-load.mjs, because the simulated
// model cannot think. Everything else is as in a real program.

import { passes } from './guardrail.mjs';
import { Memory } from './memory.mjs';
import { agents } from './metrics.mjs';
import { TOOL_TIMEOUT_MS, TOOLS } from './tools.mjs';

/** An agent is stopped after this many steps. */
const STEPS_MAX = 6;

const MODEL_BY_AGENT = new Map([
  ['researcher', 'o4-mini'],
  ['support', 'gpt-4o-mini'],
  ['analyst', 'claude-sonnet-4'],
]);

/** @returns a function that runs an agent by name and measures the run from start to end. */
export function createAgents({ ask }) {
  const memory = new Memory();

  const runAgent = (name, task, signal) => agents.run(name, (execution) => work(execution, { name, task, signal }));

  async function work(execution, { name, task, signal }) {
    if (!execution.step('guardrail', () => passes(task.prompt, 'input'))) return execution.end('guardrail');
    const notes = execution.step('memory', () => memory.recall(name, { reachable: !task.forgetful }));
    // The collector counts tokens and cost of requests made here for this agent too.
    await execution.step('retrieval', () => ask({ model: 'text-embedding-3-small', input: task.prompt }, { signal }));

    const messages = [{ role: 'user', content: [task.prompt, ...notes].join('\n') }];
    for (let step = 0; step < STEPS_MAX; step++) {
      const decision = task.decisions[step] ?? (task.endless ? task.decisions.at(-1) : {});
      const body = { model: MODEL_BY_AGENT.get(name), messages, metadata: decision };
      const answer = await execution.step(step === 0 ? 'plan' : 'llm', () => ask(body, { signal }));
      const { message } = answer.choices[0];
      if (decision.handoff)
        return handOff(execution, { from: name, to: decision.handoff, task: decision.task, signal });
      if (message.tool_calls === undefined) {
        execution.step('memory', () => memory.remember(name, message.content));
        return message.content;
      }
      for (const call of message.tool_calls) {
        const result = await execution.step('tool', () => callTool(execution, call.function, signal));
        messages.push({ role: 'tool', tool_call_id: call.id, content: JSON.stringify(result) });
      }
    }
    execution.end('max_steps');
  }

  async function handOff(execution, { from, to, task, signal }) {
    try {
      const answer = await execution.step('handoff', () => runAgent(to, task, signal));
      agents.recordHandoff(from, to);
      return answer;
    } catch (error) {
      agents.recordHandoff(from, to, 'error');
      throw error;
    }
  }

  return runAgent;
}

/** Calls a tool. A failed tool does not end the agent: the model gets the error and decides. */
async function callTool(execution, { name, arguments: text }, signal) {
  const args = JSON.parse(text);
  const run = TOOLS.get(name);
  if (run === undefined) {
    // The model invented the name, so the collector counts it as `other`.
    execution.recordToolCall(name, 'error', undefined, args);
    agents.recordError(execution.agentType, 'unknown_tool');
    return { error: `No tool ${name}` };
  }
  const patience = AbortSignal.any([signal, AbortSignal.timeout(TOOL_TIMEOUT_MS)]);
  try {
    return await execution.tool(name, args, () => run(args, patience));
  } catch (error) {
    signal.throwIfAborted();
    return { error: error.message };
  }
}
