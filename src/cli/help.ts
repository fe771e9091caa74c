/**
 * Lists the commands with their options. The argument parser and the help texts read the same list.
 */

interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** The name of the value in help texts. */
  readonly value?: string;
  readonly help: string;
}

interface Command {
  readonly operands: { readonly text: string; readonly least: number; readonly most: number };
  readonly about: string;
  readonly more?: string;
  readonly options: Readonly<Record<string, Option>>;
}

const HELP = { help: { type: 'boolean', short: 'h', help: 'show this help' } } as const;
const JSON_OUTPUT = { json: { type: 'boolean', help: 'write JSON' } } as const;
const SOURCE = {
  header: {
    type: 'string',
    short: 'H',
    multiple: true,
    value: "'name: value'",
    help: 'send a header; may be repeated',
  },
  timeout: { type: 'string', value: 'seconds', help: 'longest time of a scrape (default 10)' },
  format: { type: 'string', value: 'text|openmetrics', help: 'the format to ask for (default: as Prometheus asks)' },
  'max-bytes': { type: 'string', value: 'bytes', help: 'longest exposition, decompressed (default 33554432)' },
  insecure: { type: 'boolean', help: 'accept any certificate' },
} as const;
const SOURCE_OPERAND = { text: '<url|file|->', least: 1, most: 1 };

export type CommandName = 'check' | 'diff' | 'docs' | 'dashboard' | 'watch' | 'demo' | 'rules';

export const COMMANDS: Readonly<Record<CommandName, Command>> = {
  check: {
    operands: SOURCE_OPERAND,
    about: 'check an exposition: format, names, labels, buckets, size and time',
    more: 'Exit code: 0 no findings, 1 errors or warnings (with --strict, notes too), 2 wrong arguments or unreadable.',
    options: {
      strict: { type: 'boolean', help: 'fail for notes too' },
      ignore: { type: 'string', multiple: true, value: 'name', help: 'leave out a rule or a metric; may be repeated' },
      'max-series': { type: 'string', value: 'number', help: 'series of a metric without a warning (default 1000)' },
      ...JSON_OUTPUT,
      ...SOURCE,
      ...HELP,
    },
  },
  diff: {
    operands: { text: '<before> <after>', least: 2, most: 2 },
    about: 'compare two expositions (URL, file or -): metrics, labels, series, values',
    more: 'Exit code: 0 equal, 1 different, 2 wrong arguments or unreadable.',
    options: {
      schema: { type: 'boolean', help: 'compare names, types, help texts and label names only' },
      ...JSON_OUTPUT,
      ...SOURCE,
      ...HELP,
    },
  },
  docs: {
    operands: SOURCE_OPERAND,
    about: 'write a Markdown table of all metrics',
    options: { ...JSON_OUTPUT, ...SOURCE, ...HELP },
  },
  dashboard: {
    operands: SOURCE_OPERAND,
    about: 'write a Grafana dashboard (JSON) of all metrics',
    options: {
      title: { type: 'string', value: 'text', help: "the dashboard's title (default Metrics)" },
      ...SOURCE,
      ...HELP,
    },
  },
  watch: {
    operands: { text: '<url>', least: 1, most: 1 },
    about: 'show the fastest-moving series with rates and sparklines',
    options: {
      interval: { type: 'string', short: 'n', value: 'seconds', help: 'time between scrapes (default 2)' },
      count: { type: 'string', value: 'number', help: 'end after so many scrapes' },
      top: { type: 'string', value: 'number', help: 'series to show (default: as many as fit, or 10)' },
      match: { type: 'string', value: 'text', help: 'only series that contain this text' },
      ...JSON_OUTPUT,
      ...SOURCE,
      ...HELP,
    },
  },
  demo: {
    operands: { text: '', least: 0, most: 0 },
    about: 'run an endpoint with moving metrics and print the address of its page',
    options: {
      host: { type: 'string', value: 'address', help: 'address to listen on (default 127.0.0.1)' },
      port: { type: 'string', value: 'number', help: 'port (default 9464; 0 for a free one)' },
      ...HELP,
    },
  },
  rules: {
    operands: SOURCE_OPERAND,
    about: 'write burn-rate rules for an objective, or test cases of them for promtool',
    options: {
      slo: { type: 'string', value: 'percent', help: 'good requests in 30 days: 95 to less than 100' },
      metric: { type: 'string', value: 'name', help: 'a counter, or a histogram with --threshold' },
      bad: { type: 'string', value: 'matcher', help: "which of the counter's series failed, as 'status=~\"5..\"'" },
      threshold: { type: 'string', value: 'bound', help: 'the bucket that a good request is in' },
      tests: { type: 'string', value: 'file', help: 'write test cases of the rules in this file' },
      ...SOURCE,
      ...HELP,
    },
  },
};

const PROGRAM = 'prometheus-metrics';

export const OVERVIEW = `${PROGRAM} <command> [options]

${columns(Object.entries(COMMANDS).map(([name, { operands, about }]) => [`${name} ${operands.text}`, about]))}

<command> --help shows its options. --version shows the version.`;

export function helpOf(name: CommandName): string {
  const { operands, about, more, options } = COMMANDS[name];
  const rows = Object.entries(options).map(([option, { short, value, help }]) => {
    return [`${short === undefined ? '' : `-${short}, `}--${option}${value === undefined ? '' : ` <${value}>`}`, help];
  });
  const lines = [`${PROGRAM} ${name} ${operands.text}`.trimEnd(), '', `${about[0].toUpperCase()}${about.slice(1)}.`];
  return [...lines, ...(more === undefined ? [] : [more]), '', columns(rows)].join('\n');
}

function columns(rows: string[][]): string {
  const width = Math.max(...rows.map(([first]) => first.length));
  return rows.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`).join('\n');
}
