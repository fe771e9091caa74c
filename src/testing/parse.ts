/**
 * Parses expositions. The core does the parsing; this module builds objects from its answer, and errors that show the
 * line.
 */
import { types } from 'node:util';
import { ConfigurationError, describe, ExpositionError, refuseOption } from '../errors';
import { addon } from '../native/addon';
import { checkOptionNames, optionNames } from '../options';

/** The supported formats: text 0.0.4 and 1.0.0, OpenMetrics 1.0 and 2.0, and protobuf. */
export type ExpositionFormat = 'text' | 'text1' | 'openmetrics' | 'openmetrics2' | 'protobuf';

const FORMATS: readonly unknown[] = [
  'text',
  'text1',
  'openmetrics',
  'openmetrics2',
  'protobuf',
] satisfies ExpositionFormat[];

/** The type of a family; `unknown` for a missing type and for `untyped`. */
export type ParsedType =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

/** A parsed exemplar. */
export interface ParsedExemplar {
  labels: Record<string, string>;
  value: number;
  /** Seconds since the epoch. */
  timestamp?: number;
}

/** A native histogram: of OpenMetrics 2.0, of protobuf, or in the syntax that Python's OpenMetrics parser accepts. */
export interface ParsedNativeHistogram {
  count: number;
  sum: number;
  schema: number;
  zeroThreshold: number;
  zeroCount: number;
  /** Offset and length of each span of buckets. */
  positiveSpans: [offset: number, length: number][];
  negativeSpans: [offset: number, length: number][];
  positiveDeltas: number[];
  negativeDeltas: number[];
}

/** One sample. A histogram or summary that is one line or message in its format is as many samples as in text. */
export interface ParsedSample {
  /** The whole name, suffix included. */
  name: string;
  /** Unescaped, in their order. A label's value may be `''`. */
  labels: Record<string, string>;
  /** NaN if the sample has a native histogram. */
  value: number;
  /** Seconds since the epoch, in every format. */
  timestamp?: number;
  /** When the series began, in seconds since the epoch; only in OpenMetrics 2.0 and protobuf. */
  start?: number;
  exemplar?: ParsedExemplar;
  nativeHistogram?: ParsedNativeHistogram;
}

/** A family and its samples, in their order. */
export interface ParsedFamily {
  /**
   * The name in TYPE and HELP, or the sample's name if both are missing. In OpenMetrics 1.0, a counter's family has no
   * `_total`.
   */
  name: string;
  type: ParsedType;
  /** Unescaped; `''` if missing. */
  help: string;
  /** `''` if missing. The text format has no units. */
  unit: string;
  samples: ParsedSample[];
}

/** Labels to search for. An empty label and an absent label are equal. */
export type WantedLabels = { readonly [name: string]: string | number | boolean | undefined };

/** Options of `parseExposition()`. */
export interface ParseOptions {
  /**
   * Text 1.0.0, OpenMetrics 2.0 and protobuf have to be named: a text does not show its version.
   *
   * @default OpenMetrics 1.0 if the last line is `# EOF`, else text 0.0.4
   */
  format?: ExpositionFormat;
  /**
   * Rejects text that Python's parser accepts and Prometheus rejects: split families, duplicate series, buckets that do not
   * add up, lines that end with a carriage return, and a last line without a line feed.
   *
   * @default false
   */
  strict?: boolean;
}

/** Also the options of the assertion and the matcher. */
export const PARSE_OPTIONS = optionNames<ParseOptions>('parseExposition', { format: true, strict: true });

/** A parsed exposition. */
export class Exposition {
  constructor(
    readonly format: ExpositionFormat,
    /** In their order. In the text format, each sample without TYPE and HELP is a family of its own. */
    readonly families: readonly ParsedFamily[],
  ) {}

  /**
   * The first family of this name. An OpenMetrics counter is also found by its samples' name, with `_total`, so that one
   * name works for all formats.
   */
  family(name: string): ParsedFamily | undefined {
    const short = name.endsWith('_total') ? name.slice(0, -'_total'.length) : undefined;
    return (
      this.families.find((family) => family.name === name) ??
      this.families.find((family) => family.name === short && family.type === 'counter')
    );
  }

  /** The samples of this name that have at least these labels. */
  samples(name: string, labels: WantedLabels = {}): ParsedSample[] {
    const wanted = Object.entries(labels);
    const fits = (sample: ParsedSample) =>
      sample.name === name && wanted.every(([label, value]) => labelOf(sample, label) === String(value ?? ''));
    return this.families.flatMap((family) => family.samples.filter(fits));
  }

  /** The value of the sample of this name that has exactly these labels; undefined if there is none. */
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
 * Parses an exposition. Accepts and rejects the same texts as the parsers of Python's `prometheus_client`, which do not read
 * OpenMetrics 2.0 and protobuf. Bytes of a text must be UTF-8; a lone surrogate in a string is read as U+FFFD.
 *
 * @throws {ExpositionError} `INVALID_EXPOSITION` for an invalid exposition, with line and column
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid option, if `text` is neither a string nor bytes, or for
 *   protobuf in a string
 */
export function parseExposition(text: string | Uint8Array, options: ParseOptions = {}): Exposition {
  if (typeof options !== 'object' || options === null) refuseOption('options', 'parseExposition()', options);
  checkOptionNames(options, PARSE_OPTIONS);
  const { format, strict = false } = options;
  if (format !== undefined && !FORMATS.includes(format)) {
    const received = describe(format);
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected one of ${FORMATS.join(', ')} for format but received ${received}`,
    );
  }
  if (typeof strict !== 'boolean') {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected true or false for strict but received ${describe(strict)}`,
    );
  }
  if (format === 'protobuf') return fromProtobuf(text);
  const source = textOf(text);
  const answer = addon.parseExposition(source, format, strict);
  if (answer.families === undefined) throw refusal(source, answer.error ?? NO_FAULT);
  return toExposition(answer.format, answer.families);
}

const NO_FAULT = { line: 1, column: 1, message: '' };

function fromProtobuf(bytes: unknown): Exposition {
  if (!types.isUint8Array(bytes)) refuseOption('bytes', 'an exposition in protobuf', bytes);
  const { families, error: { line, column, message } = NO_FAULT } = addon.parseProtobufExposition(bytes);
  if (families === undefined) throw new ExpositionError(`${message} (family ${line})`, line, column);
  return toExposition('protobuf', families);
}

function toExposition(format: string, { text, numbers }: { text: string; numbers: Float64Array }): Exposition {
  const families = (JSON.parse(text) as WrittenFamily[]).map(familyReader(numbers));
  return new Exposition(format as ExpositionFormat, families);
}

/** The format that a content type names. */
export function formatOf(contentType: string): ExpositionFormat {
  if (contentType.startsWith('application/vnd.google.protobuf')) return 'protobuf';
  if (!contentType.startsWith('application/openmetrics-text'))
    return contentType.includes('version=1.') ? 'text1' : 'text';
  return contentType.includes('version=2.') ? 'openmetrics2' : 'openmetrics';
}

function textOf(text: unknown): string {
  if (typeof text === 'string') return text;
  if (!types.isUint8Array(text)) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected a string or bytes for an exposition but received ${describe(text)}`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    throw new ExpositionError('Expected UTF-8 but received bytes that are not valid UTF-8', 1, 1);
  }
}

/** The JSON that the core writes. `crate/core/src/testing/parse/json.rs` documents it. */
type WrittenExemplar = [labels: string[], timestamps: 0 | 1];
type WrittenSample = [
  name: string,
  labels: string[],
  timestamps?: 0 | 1,
  exemplar?: WrittenExemplar | 0,
  histogram?: [number, number, number, number] | 0,
  starts?: 0 | 1,
];
type WrittenFamily = [name: string, type: ParsedType, help: string, unit: string, samples: WrittenSample[]];

function familyReader(numbers: Float64Array): (written: WrittenFamily) => ParsedFamily {
  let next = 0;
  const take = () => numbers[next++];
  const takeMany = (count: number) => Array.from({ length: count }, take);
  const takeSpans = (count: number) => Array.from({ length: count }, (): [number, number] => [take(), take()]);

  const sample = ([name, labels, timestamps, exemplar, histogram, starts]: WrittenSample): ParsedSample => {
    const read: ParsedSample = { name, labels: labelsOf(labels), value: take() };
    if (timestamps === 1) read.timestamp = take();
    if (starts === 1) read.start = take();
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

/** Characters that are shown before and after the invalid one. */
const SHOWN_AROUND = 50;

function refusal(text: string, { line, column, message }: { line: number; column: number; message: string }): Error {
  const characters = Array.from(lineOf(text, line));
  const start = Math.max(0, column - 1 - SHOWN_AROUND);
  const end = Math.min(characters.length, column - 1 + SHOWN_AROUND);
  const head = start > 0 ? '…' : '';
  // Control characters would move the cursor, and the mark would point to the wrong place.
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
