/**
 * Lists the tiles and charts of the page: the same figures as the Grafana dashboards in `deploy/grafana`. A panel is shown
 * when the exposition has what it reads.
 */

/**
 * @typedef {import('./queries.mjs').Query} Query
 *
 * @typedef {object} Panel
 * @property {string} title
 * @property {string} unit as `show` reads it
 * @property {Query[]} queries several are drawn in one chart, with `names`
 * @property {string[]} [names]
 * @property {boolean} [isHeat] draws the buckets of a histogram over time
 *
 * @typedef {object} Section
 * @property {string} id
 * @property {string} title
 * @property {Panel[]} panels
 *
 * @typedef {object} Tile
 * @property {string} title
 * @property {string} unit
 * @property {Query[]} queries the first that exists is shown
 * @property {Query} [total] shown below, with `of`
 * @property {string} [of]
 * @property {string} [idle] shown in place of a value that does not exist
 * @property {number} [warnAbove]
 */

/**
 * @param {string} name
 * @param {string[]} [by]
 * @param {Record<string, string>} [match]
 * @returns {Query}
 */
const growth = (name, by = [], match = {}) => ({ kind: 'rate', name, by, match });
/**
 * @param {string} name
 * @param {string[]} [by]
 * @param {Record<string, string>} [match]
 * @returns {Query}
 */
const value = (name, by = [], match = {}) => ({ kind: 'value', name, by, match });
/**
 * @param {number} quantile
 * @param {string} name
 * @param {string[]} [by]
 * @returns {Query}
 */
const quantile = (quantile, name, by = []) => ({ kind: 'quantile', quantile, name, by });
/**
 * @param {Query} over
 * @param {Query} under
 * @returns {Query}
 */
const ratio = (over, under) => ({ kind: 'ratio', over, under });
/**
 * @param {string} name
 * @param {string[]} [by]
 * @returns {Query}
 */
const mean = (name, by = []) => ({ kind: 'mean', name, by });
/**
 * @param {number} factor
 * @param {Query} query
 * @returns {Query}
 */
const times = (factor, query) => ({ ...query, factor });

/**
 * @param {string} title
 * @param {string} unit
 * @param {Query} query
 * @returns {Panel}
 */
const panel = (title, unit, query) => ({ title, unit, queries: [query] });
/**
 * @param {string} title
 * @param {string} unit
 * @param {string} name
 * @returns {Panel}
 */
const quantiles = (title, unit, name) => ({
  title,
  unit,
  queries: [quantile(0.5, name), quantile(0.95, name), quantile(0.99, name)],
  names: ['p50', 'p95', 'p99'],
});
/**
 * @param {string} title
 * @param {string} unit
 * @param {string} name
 * @returns {Panel}
 */
const heat = (title, unit, name) => ({ title, unit, queries: [quantile(0.95, name)], isHeat: true });

const FAILED = { status: 'error|timeout' };
const COUNTED = { status: '!cancelled' };
const LLM = 'llm_requests_total';
const HTTP = 'http_requests_total';
const AGENT = 'agent_executions_total';

/** @type {Tile[]} */
export const TILES = [
  {
    title: 'HTTP requests',
    unit: '/s',
    queries: [growth(HTTP), growth('http_request_duration_seconds')],
    total: value(HTTP),
    of: 'in all',
  },
  {
    title: 'HTTP errors',
    unit: '%',
    queries: [ratio(growth(HTTP, [], { status_class: '5xx' }), growth(HTTP))],
    total: value(HTTP, [], { status_class: '5xx' }),
    of: 'in all',
    idle: 'no requests',
    warnAbove: 0,
  },
  {
    title: 'HTTP time, p95',
    unit: 's',
    queries: [quantile(0.95, 'http_request_duration_seconds')],
    idle: 'no requests',
  },
  { title: 'LLM requests', unit: '/s', queries: [growth(LLM)], total: value(LLM), of: 'in all' },
  {
    title: 'LLM errors',
    unit: '%',
    queries: [ratio(growth(LLM, [], FAILED), growth(LLM, [], COUNTED))],
    total: value(LLM, [], FAILED),
    of: 'in all',
    idle: 'no requests',
    warnAbove: 0,
  },
  {
    title: 'First token, p95',
    unit: 's',
    queries: [quantile(0.95, 'llm_streaming_time_to_first_token_seconds')],
    idle: 'no streams',
  },
  {
    title: 'Tokens',
    unit: '/s',
    queries: [growth('llm_tokens_total')],
    total: value('llm_tokens_total'),
    of: 'in all',
  },
  {
    title: 'Cost an hour',
    unit: 'USD/h',
    queries: [times(3600, growth('llm_cost_usd_total'))],
    total: value('llm_cost_usd_total'),
    of: 'in all',
  },
  { title: 'LLM in flight', unit: '', queries: [value('llm_active_requests')] },
  { title: 'Agents', unit: '/s', queries: [growth(AGENT)], total: value(AGENT), of: 'in all' },
  {
    title: 'Event loop late, p99',
    unit: 's',
    queries: [
      value('nodejs_eventloop_lag_p99_seconds'),
      value('nodejs_eventloop_lag_seconds'),
      value('eventloop_stalled_seconds'),
    ],
  },
  {
    title: 'Memory',
    unit: 'B',
    queries: [value('process_resident_memory_bytes')],
    total: value('nodejs_heap_size_used_bytes'),
    of: 'heap',
  },
  { title: 'Processor', unit: '%', queries: [growth('process_cpu_seconds_total')] },
];

/** @type {Section[]} */
export const SECTIONS = [
  {
    id: 'llm',
    title: 'LLM',
    panels: [
      panel('Requests by model and status', '/s', growth(LLM, ['model', 'status'])),
      panel('Error ratio by model', '%', ratio(growth(LLM, ['model'], FAILED), growth(LLM, ['model'], COUNTED))),
      panel('Errors by type', '/s', growth('llm_errors_total', ['error_type'])),
      panel('In flight by model', '', value('llm_active_requests', ['model', 'provider'])),
      heat('Request duration', 's', 'llm_request_duration_seconds'),
      quantiles('Request duration, quantiles', 's', 'llm_request_duration_seconds'),
      panel(
        'Request duration by model, p95',
        's',
        quantile(0.95, 'llm_request_duration_seconds', ['model', 'operation']),
      ),
      quantiles('Time to first token', 's', 'llm_streaming_time_to_first_token_seconds'),
      panel(
        'Time to first token by model, p95',
        's',
        quantile(0.95, 'llm_streaming_time_to_first_token_seconds', ['model']),
      ),
      panel('Time of an output token, mean', 's', mean('llm_streaming_time_per_output_token_seconds', ['model'])),
      panel('Longest gap of a stream, p95', 's', quantile(0.95, 'llm_streaming_longest_gap_seconds', ['model'])),
      panel('Stalls', '/s', growth('llm_streaming_stalls_total', ['model'])),
      panel('Streamed chunks', '/s', growth('llm_streaming_chunks_total', ['model'])),
      panel('Streamed requests', '%', ratio(growth('llm_streaming_requests_total', ['model']), growth(LLM, ['model']))),
      panel('Tokens by model and type', '/s', growth('llm_tokens_total', ['model', 'type'])),
      panel('Details of tokens', '/s', growth('llm_token_details_total', ['model', 'detail'])),
      panel('Cost an hour by model', 'USD/h', times(3600, growth('llm_cost_usd_total', ['model']))),
      panel('Cost since start', 'USD', value('llm_cost_usd_total', ['provider', 'model'])),
      panel('Remaining budgets', 'USD', value('llm_budget_remaining_usd', ['budget'])),
      panel('Requests without a price', '/s', growth('llm_unpriced_requests_total', ['model', 'provider'])),
      panel('Requests without usage', '/s', growth('llm_usage_missing_total', ['model', 'provider'])),
      panel(
        'Within all objectives',
        '%',
        ratio(growth('llm_objectives_total', ['model'], { result: 'met' }), growth('llm_objectives_total', ['model'])),
      ),
      panel(
        'Left of rate limits',
        '%',
        ratio(
          value('llm_ratelimit_remaining', ['model', 'resource']),
          value('llm_ratelimit_limit', ['model', 'resource']),
        ),
      ),
      panel('Retries', '/s', growth('llm_retries_total', ['error_type'])),
      panel('Duration of attempts, p95', 's', quantile(0.95, 'llm_attempt_duration_seconds', ['model'])),
      panel('Fallbacks', '/s', growth('llm_fallbacks_total', ['from_model', 'to_model', 'status'])),
      panel('Interrupted streams', '/s', growth('llm_streaming_interrupted_total', ['reason'])),
      panel('Finish reasons', '/s', growth('llm_finish_reasons_total', ['reason'])),
      panel('Guardrail checks', '/s', growth('llm_guardrail_checks_total', ['guardrail', 'stage', 'result'])),
      panel('Guardrail duration, p95', 's', quantile(0.95, 'llm_guardrail_duration_seconds', ['guardrail', 'stage'])),
      panel(
        'Answers from the cache',
        '%',
        ratio(
          growth('llm_cache_requests_total', ['cache'], { result: 'hit' }),
          growth('llm_cache_requests_total', ['cache']),
        ),
      ),
      panel('Calls of server tools', '/s', growth('llm_server_tool_calls_total', ['model', 'tool'])),
      panel('Media', '/s', growth('llm_media_units_total', ['model', 'unit'])),
      panel('Requests since start', '', value(LLM, ['provider', 'model', 'status'])),
    ],
  },
  {
    id: 'agents',
    title: 'Agents',
    panels: [
      panel('Executions by outcome', '/s', growth(AGENT, ['agent_type', 'status'])),
      panel(
        'Failed executions',
        '%',
        ratio(growth(AGENT, ['agent_type'], { status: 'failed|timeout' }), growth(AGENT, ['agent_type'], COUNTED)),
      ),
      panel(
        'Stopped at the last step',
        '%',
        ratio(growth(AGENT, ['agent_type'], { status: 'max_steps' }), growth(AGENT, ['agent_type'], COUNTED)),
      ),
      panel('In flight', '', value('agent_active', ['agent_type'])),
      heat('Duration of executions', 's', 'agent_execution_duration_seconds'),
      panel('Duration of executions, p95', 's', quantile(0.95, 'agent_execution_duration_seconds', ['agent_type'])),
      panel('Errors by type', '/s', growth('agent_errors_total', ['error_type'])),
      panel('Handoffs', '/s', growth('agent_handoffs_total', ['from_agent', 'to_agent', 'status'])),
      panel('Steps of an execution, p95', '', quantile(0.95, 'agent_steps_per_execution', ['agent_type'])),
      panel('Tool calls of an execution, p95', '', quantile(0.95, 'agent_tool_calls_per_execution', ['agent_type'])),
      panel('Model calls of an execution, p95', '', quantile(0.95, 'agent_model_calls_per_execution', ['agent_type'])),
      panel(
        'Repeated calls',
        '%',
        ratio(
          growth('agent_repeated_tool_calls_total', ['agent_type']),
          growth('agent_tool_calls_total', ['agent_type']),
        ),
      ),
      panel('Steps by type', '/s', growth('agent_steps_total', ['step_type'])),
      panel('Duration of steps, p95', 's', quantile(0.95, 'agent_step_duration_seconds', ['step_type'])),
      panel('Tool calls', '/s', growth('agent_tool_calls_total', ['tool_name', 'status'])),
      panel(
        'Failed tool calls',
        '%',
        ratio(
          growth('agent_tool_calls_total', ['tool_name'], FAILED),
          growth('agent_tool_calls_total', ['tool_name'], COUNTED),
        ),
      ),
      panel('Duration of tools, p95', 's', quantile(0.95, 'agent_tool_call_duration_seconds', ['tool_name'])),
      panel('Memory', '/s', growth('agent_memory_operations_total', ['operation_type', 'status'])),
      panel('Tokens by agent', '/s', growth('agent_tokens_total', ['agent_type', 'type'])),
      panel('Cost an hour by agent', 'USD/h', times(3600, growth('agent_cost_usd_total', ['agent_type']))),
      panel('Executions since start', '', value(AGENT, ['agent_type', 'status'])),
    ],
  },
  {
    id: 'http',
    title: 'HTTP',
    panels: [
      panel('Requests by status', '/s', growth(HTTP, ['status_class'])),
      panel('Requests by route', '/s', growth(HTTP, ['method', 'route'])),
      heat('Request duration', 's', 'http_request_duration_seconds'),
      quantiles('Request duration, quantiles', 's', 'http_request_duration_seconds'),
      panel(
        'Request duration by route, p95',
        's',
        quantile(0.95, 'http_request_duration_seconds', ['method', 'route']),
      ),
      panel('In flight', '', value('http_active_requests', ['method'])),
      panel('Size of answers, mean', 'B', mean('http_response_size_bytes', ['route'])),
    ],
  },
  {
    id: 'process',
    title: 'Process',
    panels: [
      {
        title: 'Event loop late',
        unit: 's',
        queries: [
          value('nodejs_eventloop_lag_p50_seconds'),
          value('nodejs_eventloop_lag_p99_seconds'),
          value('nodejs_eventloop_lag_max_seconds'),
        ],
        names: ['p50', 'p99', 'max'],
      },
      panel('Event loop in use', '%', mean('nodejs_eventloop_utilization_summary')),
      {
        title: 'Memory',
        unit: 'B',
        queries: [
          value('process_resident_memory_bytes'),
          value('nodejs_heap_size_total_bytes'),
          value('nodejs_heap_size_used_bytes'),
          value('nodejs_external_memory_bytes'),
        ],
        names: ['resident', 'heap', 'heap used', 'external'],
      },
      {
        title: 'Processor',
        unit: '%',
        queries: [growth('process_cpu_user_seconds_total'), growth('process_cpu_system_seconds_total')],
        names: ['user', 'system'],
      },
      panel('Garbage collections', '/s', growth('nodejs_gc_duration_seconds', ['kind'])),
      panel('Garbage collection, mean', 's', mean('nodejs_gc_duration_seconds', ['kind'])),
      panel('Active resources', '', value('nodejs_active_resources', ['type'])),
      panel('Open descriptors', '', value('process_open_fds')),
    ],
  },
  {
    id: 'endpoint',
    title: 'Endpoint',
    panels: [
      panel('Series', '', value('metrics_series_count')),
      quantiles('Scrape duration', 's', 'metrics_scrape_duration_seconds'),
      panel('Size of an exposition, mean', 'B', mean('metrics_scrape_size_bytes')),
      panel('Expositions in memory', 'B', value('metrics_body_bytes')),
      panel('Calls over limits', '/s', growth('metrics_cardinality_overflow_total', ['metric'])),
      panel('Rejected by reason', '/s', growth('metrics_rejected_total', ['reason'])),
      panel('Connections', '', value('metrics_connections')),
      panel('Collectors that fail', '/s', growth('metrics_collector_errors_total', ['collector'])),
      panel('Families left out', '/s', growth('metrics_merge_mismatches_total', ['metric'])),
      panel('Processes that share metrics', '', value('metrics_processes')),
      panel('Series that are not shared', '', value('metrics_unshared_series')),
      panel('Event loop late', 's', value('eventloop_stalled_seconds')),
    ],
  },
];
