// The core has the only catalogue of LLM and agent metrics: TypeScript's unions, the metrics that collectors make and
// docs/metrics.md must agree with it. UPDATE_DOCS=1 writes the tables of the page anew.

import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { AgentMetricsCollector, LlmMetricsCollector, Registry } from '@llm-devops/prometheus-metrics';
import test from 'ava';

const root = new URL('../../', import.meta.url);
const { addon } = createRequire(import.meta.url)('../../dist/native/addon.js');
const CATALOGUES = { LLM: addon.catalogue(false), Agents: addon.catalogue(true) };

/** The unions of a file of types by name; unions within unions are resolved. */
function unionsOf(source) {
  const unions = new Map();
  for (const [, name, body] of source.matchAll(/export type (\w+) =([^;]+);/g)) {
    const words = body.match(/'[^']+'|\b[A-Z]\w+/g);
    unions.set(
      name,
      words.flatMap((word) => (word.startsWith("'") ? [word.slice(1, -1)] : unions.get(word))),
    );
  }
  return unions;
}

/** The type of each label with words, by metric, because one label name may mean several things. */
const TYPES = {
  llm_requests_total: { operation: 'LlmOperation', status: 'LlmStatus' },
  llm_errors_total: { error_type: 'LlmErrorType' },
  llm_finish_reasons_total: { reason: 'FinishReason' },
  llm_ratelimit_limit: { resource: 'RateLimitResource' },
  llm_streaming_interrupted_total: { reason: 'Interruption' },
  llm_media_units_total: { unit: 'MediaUnit' },
  llm_guardrail_checks_total: { stage: 'GuardrailStage', result: 'GuardrailResult' },
  llm_fallbacks_total: { status: 'Outcome' },
  agent_executions_total: { status: 'ExecutionStatus' },
  agent_steps_total: { step_type: 'StepType' },
  agent_tool_calls_total: { status: 'ToolStatus' },
  agent_memory_operations_total: { operation_type: 'MemoryOperation', status: 'Outcome' },
  agent_errors_total: { error_type: 'AgentErrorType' },
};

test('TypeScript’s unions have the words of the catalogue', async (t) => {
  const unions = unionsOf(await readFile(new URL('dist/words.d.ts', root), 'utf8'));
  const entries = new Map(
    Object.values(CATALOGUES).flatMap((catalogue) => catalogue.map((entry) => [entry.name, entry])),
  );
  for (const [metric, labels] of Object.entries(TYPES)) {
    for (const [label, type] of Object.entries(labels)) {
      const { words } = entries.get(metric).labels.find(({ name }) => name === label);
      t.deepEqual(unions.get(type), words, `${metric} ${label}`);
    }
  }
});

test('every metric is complete: help, a cap or words for each label, ascending buckets', (t) => {
  for (const { name, kind, help, labels, buckets, unit } of Object.values(CATALOGUES).flat()) {
    t.regex(help, /^[A-Z].*[^.]$/, name);
    for (const { name: label, words, max } of labels)
      t.is(words.length > 0, max === undefined || max === null, `${name} ${label}`);
    t.is(buckets.length > 0, kind === 'histogram', name);
    t.deepEqual(
      [...buckets].sort((a, b) => a - b),
      [...buckets],
      name,
    );
    if (kind === 'counter') t.regex(name, /_total$/);
    if (unit === 'seconds') t.regex(name, /_seconds$/);
  }
});

test('collectors make the metrics of the catalogue, in its order', (t) => {
  const registry = new Registry();
  new LlmMetricsCollector({
    registry,
    optional: { tokensPerRequest: true, queueDuration: true, interChunk: true, attemptDuration: true },
    stallMs: 1,
    objectives: { durationMs: 1 },
  });
  new AgentMetricsCollector({ registry });
  t.deepEqual(
    registry.getMetricsAsArray().map(({ name, type, help, labelNames }) => ({ name, type, help, labelNames })),
    Object.values(CATALOGUES)
      .flat()
      .map(({ name, kind, help, labels }) => ({
        name: `llmdevops_${name}`,
        type: kind,
        help,
        labelNames: labels.map((label) => label.name),
      })),
  );
});

function table(catalogue) {
  const rows = catalogue.map(({ name, kind, labels, help, buckets, optIn }) => {
    const label = ({ name: own, words, max }) =>
      words.length > 0 ? `${own}: ${words.join(', ')}` : `${own} (at most ${max})`;
    const notes = buckets.length > 0 ? ` Buckets: ${buckets.join(' ')}` : '';
    return `| \`${name}\`${optIn ? ' †' : ''} | ${kind} | ${labels.map(label).join('; ')} | ${help}.${notes} |`;
  });
  return ['| metric | type | labels | what |', '|---|---|---|---|', ...rows].join('\n');
}

test('docs/metrics.md has every metric of the catalogue', async (t) => {
  const page = new URL('docs/metrics.md', root);
  const text = await readFile(page, 'utf8');
  let expected = text;
  for (const [title, catalogue] of Object.entries(CATALOGUES)) {
    expected = expected.replace(
      new RegExp(`(## ${title}\\n\\n)\\|[^]*?\\|\\n(?=\\n|$)`),
      (_, head) => `${head}${table(catalogue)}\n`,
    );
  }
  if (process.env.UPDATE_DOCS === '1') await writeFile(page, expected);
  else t.is(text, expected);
  t.pass();
});
