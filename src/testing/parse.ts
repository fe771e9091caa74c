/**
 * Reads expositions back. The core does the reading; this gives its answer a shape, and its refusals a face.
 */
import { ConfigurationError, describe, ExpositionError, refuseOption } from '../errors';
import { addon } from '../native/addon';

/** The formats that are read: text 0.0.4 and OpenMetrics 1.0. */
export type ExpositionFormat = 'text' | 'openmetrics';

/** The type of a family; `unknown` where none is given, and for `untyped`. */
export type ParsedType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

/** An exemplar as it was read. */
export interface ParsedExemplar {
  labels: Record<string, string>;
  value: number;
  /** Seconds since the epoch. */
  timestamp?: number;
}

/** A native histogram, as Python's parser of OpenMetrics knows them. */
export interface ParsedNativeHistogram {
  count: number;
  sum: number;
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  /** Offset and length of each run of buckets. */
  positiveSpans: [offset: number, length: number][];
  negativeSpans: [offset: number, length: number][];
  positiveDeltas: number[];
  negativeDeltas: number[];
}

/** One sample. */
export interface ParsedSample {
  /** The whole name, suffix included. */
  name: string;
  /** Unescaped, in their order. A label may be `''`. */
  labels: Record<string, string>;
  /** NaN beside a native histogram. */
  value: number;
  /** Seconds since the epoch, in both formats. */
  timestamp?: number;
  exemplar?: ParsedExemplar;
  nativeHistogram?: ParsedNativeHistogram;
}

/** A family and its samples, in their order. */
export interface ParsedFamily {
  /** As TYPE and HELP have it, without them the sample's: in OpenMetrics a counter's family has no `_total`. */
  name: string;
  type: ParsedType;
  /** Unescaped; `''` where there is none. */
  help: string;
  /** `''` where there is none, as in text always. */
  unit: string;
  samples: ParsedSample[];
}

/** Labels that are looked for. An empty label and one that is not there are the same. */
export type WantedLabels = { readonly [name: string]: string | number | boolean | undefined };

/** What `parseExposition` takes beside the text. */
export interface ParseOptions {
  /** @default OpenMetrics where the last line is `# EOF`, text otherwise */
  format?: ExpositionFormat;
  /**
   * Refuses what Python's parser of text lets pass and Prometheus does not: families in pieces, series that come twice,
   * buckets that do not add up, lines that end in a carriage return, a last line without its end.
   *
   * @default false
   */
  strict?: boolean;
}

/** An exposition that was read. */
export class Exposition {
  constructor(
    readonly format: ExpositionFormat,
    /** In their order. In text each sample that no TYPE or HELP announces is a family of its own. */
    readonly families: readonly ParsedFamily[],
  ) {}

  /**
   * The first family of this name. A counter of OpenMetrics is found under its samples' name too, with `_total`, so
   * that one name serves both formats.
   */
  family(name: string): ParsedFamily | undefined {
    const short = name.endsWith('_total') ? name.slice(0, -'_total'.length) : undefined;
    return (
      this.families.find((family) => family.name === name) ??
      this.families.find((family) => family.name === short && family.type === 'counter')
    );
  }

  /** The samples of this name that have these labels, and perhaps others. */
  samples(name: string, labels: WantedLabels = {}): ParsedSample[] {
    const wanted = Object.entries(labels);
    const fits = (sample: ParsedSample) =>
      sample.name === name && wanted.every(([label, value]) => labelOf(sample, label) === String(value ?? ''));
    return this.families.flatMap((family) => family.samples.filter(fits));
  }

  /** The value of the sample of this name that has these labels and no others. */
  value(name: string, labels: WantedLabels = {}): number | undefined {
    const isWhole = (sample: ParsedSample) =>
      Object.keys(sample.labels).every((label) => sample.labels[label] === '' || Object.hasOwn(labels, label));
    return this.samples(name, labels).find(isWhole)?.value;
  }
}

function labelOf(sample: ParsedSample, label: string): string {
  return Object.hasOwn(sample.labels, label) ? sample.labels[label] : '';
}

/**
 * Reads an exposition as the parsers of Python's `prometheus_client` do: what they refuse is refused. Bytes must be
 * UTF-8; a lone surrogate of a string is read as U+FFFD.
 *
 * @throws {ExpositionError} `INVALID_EXPOSITION`, with line and column
 * @throws {ConfigurationError} `INVALID_CONFIG` for what is no text, or no format
 */
export function parseExposition(text: string | Uint8Array, options: ParseOptions = {}): Exposition {
  if (typeof options !== 'object' || options === null) refuseOption('options', 'parseExposition()', options);
  const { format, strict = false } = options;
  if (format !== undefined && format !== 'text' && format !== 'openmetrics') {
    const received = describe(format);
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected 'text' or 'openmetrics' for format but received ${received}`,
    );
  }
  if (typeof strict !== 'boolean') {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected true or false for strict but received ${describe(strict)}`,
    );
  }
  const source = textOf(text);
  const isOpenMetrics = format === undefined ? undefined : format === 'openmetrics';
  const answer = addon.parseExposition(source, isOpenMetrics, strict);
  if (answer.families === undefined) throw refusal(source, answer.error ?? { line: 1, column: 1, message: '' });
  const numbers = answer.families.numbers;
  const families = (JSON.parse(answer.families.text) as WrittenFamily[]).map(familyReader(numbers));
  return new Exposition(answer.isOpenMetrics ? 'openmetrics' : 'text', families);
}

function textOf(text: unknown): string {
  if (typeof text === 'string') return text;
  if (!(text instanceof Uint8Array)) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected a string or bytes for an exposition but received ${describe(text)}`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    throw new ExpositionError('Expected UTF-8 but received bytes that are none', 1, 1);
  }
}

/** What the core writes; `crate/core/src/testing/parse/json.rs` says what it means. */
type WrittenExemplar = [labels: string[], timestamps: 0 | 1];
type WrittenSample = [
  name: string,
  labels: string[],
  timestamps?: 0 | 1,
  exemplar?: WrittenExemplar | 0,
  histogram?: [number, number, number, number] | 0,
];
type WrittenFamily = [name: string, type: ParsedType, help: string, unit: string, samples: WrittenSample[]];

function familyReader(numbers: Float64Array): (written: WrittenFamily) => ParsedFamily {
  let next = 0;
  const take = () => numbers[next++];
  const takeMany = (count: number) => Array.from({ length: count }, take);
  const takeSpans = (count: number) => Array.from({ length: count }, (): [number, number] => [take(), take()]);

  const sample = ([name, labels, timestamps, exemplar, histogram]: WrittenSample): ParsedSample => {
    const read: ParsedSample = { name, labels: labelsOf(labels), value: take() };
    if (timestamps === 1) read.timestamp = take();
    if (Array.isArray(exemplar)) {
      read.exemplar = { labels: labelsOf(exemplar[0]), value: take() };
      if (exemplar[1] === 1) read.exemplar.timestamp = take();
    }
    if (Array.isArray(histogram)) {
      const [count, sum, schema, zeroThreshold, zeroCount] = takeMany(5);
      const [positiveSpans, negativeSpans] = [takeSpans(histogram[0]), takeSpans(histogram[1])];
      const [positiveDeltas, negativeDeltas] = [takeMany(histogram[2]), takeMany(histogram[3])];
      const spans = { positiveSpans, negativeSpans, positiveDeltas, negativeDeltas };
      read.nativeHistogram = { count, sum, schema, zeroThreshold, zeroCount, ...spans };
    }
    return read;
  };
  return ([name, type, help, unit, samples]) => ({ name, type, help, unit, samples: samples.map(sample) });
}

function labelsOf(pairs: string[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let at = 0; at < pairs.length; at += 2) labels[pairs[at]] = pairs[at + 1];
  return labels;
}

/** Characters that are shown before and after a refused one. */
const SHOWN_AROUND = 50;

function refusal(text: string, { line, column, message }: { line: number; column: number; message: string }): Error {
  const characters = Array.from(lineOf(text, line));
  const start = Math.max(0, column - 1 - SHOWN_AROUND);
  const end = Math.min(characters.length, column - 1 + SHOWN_AROUND);
  const head = start > 0 ? '…' : '';
  // Whatever moves the cursor would move the mark away from what it points to.
  const shown = characters.slice(start, end).join('').replace(/\p{C}/gu, ' ');
  const mark = ' '.repeat(head.length + column - 1 - start);
  const cut = `${head}${shown}${end < characters.length ? '…' : ''}`;
  return new ExpositionError(`${message} (line ${line}, column ${column})\n  ${cut}\n  ${mark}^`, line, column);
}

function lineOf(text: string, line: number): string {
  let start = 0;
  for (let passed = 1; passed < line; passed++) start = text.indexOf('\n', start) + 1;
  const end = text.indexOf('\n', start);
  return text.slice(start, end === -1 ? undefined : end);
}
