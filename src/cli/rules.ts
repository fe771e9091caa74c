/**
 * Writes Prometheus rules that tell when a metric uses up its error budget: recorded ratios, an alert for a fast burn and
 * one for a slow burn, each over a long and a short window; and test cases of these rules for promtool.
 */
import { type Family, familiesOf } from './families';
import { readExposition } from './source';
import { writeLine } from './terminal';
import { CommandError, numberOf, textOf, type Values } from './values';

/** Of Google's workbook on reliability, for a budget of 30 days: how many times the even rate a window may burn. */
const BURNS = {
  Fast: {
    severity: 'page',
    windows: [
      ['1h', '5m', 14.4],
      ['6h', '30m', 6],
    ],
  },
  Slowly: {
    severity: 'ticket',
    windows: [
      ['1d', '2h', 3],
      ['3d', '6h', 1],
    ],
  },
} as const;
const WINDOWS = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];
const OUTCOME = /^(?:status|code|status_code|http_status_code|outcome|result)$/;
const FAILURES = /^(?:5\d\d|5xx|error|errors|failed|failure|timeout)$/;

/** What a rule divides, and the series of a test in which a part fails. */
interface Ratio {
  readonly name: string;
  readonly expression: (window: string) => string;
  /** Series by what they count, each with its steps a minute if `bad` of 1 request fails. */
  readonly series: (bad: number) => [selector: string, step: number][];
}

export async function rules([target]: string[], values: Values): Promise<number> {
  if (values.slo === undefined) throw new CommandError('Expected --slo, such as --slo 99.9');
  const slo = numberOf(values, 'slo', 0, 95);
  if (slo >= 100) throw new CommandError(`Expected less than 100 for --slo but received ${slo}`);
  const budget = rounded((100 - slo) / 100);
  const ratio = ratioOf(chosen(familiesOf(await readExposition(target, values)), values), values);
  const tested = textOf(values, 'tests');
  writeLine(yaml(tested === undefined ? rulesOf(ratio, slo, budget) : testsOf(ratio, slo, budget, tested)));
  return 0;
}

function chosen(families: readonly Family[], values: Values): Family {
  const name = textOf(values, 'metric');
  const fits = name === undefined ? families.filter((family) => badOf(family) !== undefined) : families;
  const found = name === undefined && fits.length === 1 ? fits[0] : fits.find((family) => family.name === name);
  if (found !== undefined) return found;
  if (name !== undefined)
    throw new CommandError(`Expected a metric of the exposition but received ${JSON.stringify(name)}`);
  const names = fits.map((family) => family.name).join(', ');
  throw new CommandError(`Expected --metric${names === '' ? '' : `, such as one of ${names}`}`);
}

/** The matcher of a counter's failed requests, if its labels tell. */
function badOf({ type, labels }: Family): string | undefined {
  if (type !== 'counter') return undefined;
  for (const [label, texts] of labels) {
    if (!OUTCOME.test(label)) continue;
    const failures = [...texts].filter((text) => FAILURES.test(text));
    if ([...texts].some((text) => /^[1-5]\d\d$/.test(text))) return `${label}=~"5.."`;
    if (failures.length > 0) return `${label}=~"${failures.sort().join('|')}"`;
  }
  return undefined;
}

function ratioOf(family: Family, values: Values): Ratio {
  const { name, type, samples } = family;
  const rate = (series: string, window: string) => `sum by (job) (rate(${series}[${window}]))`;
  if (type === 'histogram') {
    const seconds = numberOf(values, 'threshold', Number.NaN, 0);
    const bounds = [
      ...new Set(samples.flatMap(({ labels: { le } }) => (le === undefined || le === '+Inf' ? [] : [le]))),
    ];
    const bound = bounds.find((le) => Number(le) === seconds);
    if (bound === undefined) throw new CommandError(`Expected one of ${bounds.join(', ')} for --threshold`);
    // Prometheus 3 and OpenMetrics write 1 as 1.0.
    const whole = Math.trunc(seconds);
    const good = `${name}_bucket{${whole === seconds ? `le=~"${whole}|${whole}.0"` : `le="${bound}"`}}`;
    return {
      name,
      expression: (window) => `1 - ${rate(good, window)} / ${rate(`${name}_count`, window)}`,
      series: (bad) => [
        [`${name}_bucket{job="test",le="${bound}"}`, 1 - bad],
        [`${name}_count{job="test"}`, 1],
      ],
    };
  }
  const bad = textOf(values, 'bad') ?? badOf(family);
  // Of regular expressions, only alternatives and dots: the test cases need a value that is selected.
  const [, label, value] = /^(\w+)(?:=(?=")|=~(?="[\w .|:'/-]+"$))"([^"\\]+)"$/.exec(bad ?? '') ?? [];
  if (type !== 'counter' || label === undefined) {
    throw new CommandError(`Expected a histogram, or a counter and --bad, such as --bad 'status=~"5.."', for ${name}`);
  }
  const failed = bad?.includes('=~') === true ? value.split('|')[0].replaceAll('.', '0') : value;
  return {
    name,
    // `or 0 *`: before the first failure no series of one exists.
    expression: (window) => {
      const all = rate(name, window);
      return `(${rate(`${name}{${bad}}`, window)} or 0 * ${all}) / ${all}`;
    },
    series: (part) => [
      [`${name}{job="test",${label}="none of these"}`, 1 - part],
      [`${name}{job="test",${label}="${failed}"}`, part],
    ],
  };
}

const recorded = ({ name }: Ratio, window: string) => `job:${name}:bad_ratio_rate${window}`;
const alertOf = ({ name }: Ratio, speed: string) =>
  `${name.replace(/(?:^|[_:]+)(\w)/g, (_, letter) => letter.toUpperCase())}Burns${speed}`;
const summaryOf = ({ name }: Ratio, speed: string, job: string) =>
  `${name} of ${job} burns its error budget ${speed.toLowerCase()}`;

/** What the rule of an alert and its test share. */
function annotations(ratio: Ratio, speed: string, slo: number, job: string) {
  return { summary: summaryOf(ratio, speed, job), description: `The objective is ${slo}% in 30 days.` };
}

function rulesOf(ratio: Ratio, slo: number, budget: number) {
  const records = WINDOWS.map((window) => ({ record: recorded(ratio, window), expr: ratio.expression(window) }));
  const alerts = Object.entries(BURNS).map(([speed, { severity, windows }]) => {
    const parts = windows.map(([long, short, factor]) => {
      const over = `> ${rounded(factor * budget)}`;
      return `(${recorded(ratio, long)} ${over} and ${recorded(ratio, short)} ${over})`;
    });
    return {
      alert: alertOf(ratio, speed),
      expr: parts.join(' or '),
      labels: { severity },
      annotations: annotations(ratio, speed, slo, '{{ $labels.job }}'),
    };
  });
  return { groups: [{ name: `slo-${ratio.name}`, rules: [...records, ...alerts] }] };
}

/** Everything succeeds; everything fails; twice the budget fails, for three days. */
function testsOf(ratio: Ratio, slo: number, budget: number, file: string) {
  const cases = [
    { name: 'everything succeeds', bad: 0, eval_time: '90m', fires: [] },
    { name: 'everything fails', bad: 1, eval_time: '90m', fires: ['Fast', 'Slowly'] },
    { name: 'twice the budget fails', bad: 2 * budget, eval_time: '3d', fires: ['Slowly'] },
  ];
  const tests = cases.map(({ name, bad, eval_time, fires }) => ({
    name,
    interval: '1m',
    input_series: ratio.series(bad).map(([series, part]) => ({ series, values: `0+${rounded(part * 60)}x4400` })),
    alert_rule_test: Object.entries(BURNS).map(([speed, { severity }]) => {
      const alert = { exp_labels: { job: 'test', severity }, exp_annotations: annotations(ratio, speed, slo, 'test') };
      const alertname = alertOf(ratio, speed);
      return fires.includes(speed) ? { eval_time, alertname, exp_alerts: [alert] } : { eval_time, alertname };
    }),
  }));
  // Rules that look back for days are slow if they are evaluated every minute.
  return { rule_files: [file], evaluation_interval: '30m', tests };
}

const rounded = (number: number) => Number(number.toPrecision(9));

/** YAML of objects, arrays, texts and numbers. */
function yaml(value: unknown, indent = ''): string {
  if (typeof value !== 'object') return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
  const lines = Object.entries(value as object).map(([key, inner]) => {
    const text = yaml(inner, `${indent}  `);
    if (Array.isArray(value)) return `- ${text}`;
    return typeof inner === 'object' ? `${key}:\n${indent}  ${text}` : `${key}: ${text}`;
  });
  return lines.join(`\n${indent}`);
}
