// Decodes requests of remote write and OTLP: snappy's block format, and the fields of protobuf messages that the tests look at.

import { gunzipSync } from 'node:zlib';

/** @returns the uncompressed bytes of snappy's block format */
export function unsnappy(block) {
  let at = 0;
  const varint = () => {
    let [value, shift] = [0, 1];
    for (;;) {
      const byte = block[at++];
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
      shift *= 128;
    }
  };
  const out = Buffer.alloc(varint());
  let end = 0;
  while (at < block.length) {
    const tag = block[at++];
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >> 2;
      if (length >= 60) {
        const bytes = length - 59;
        length = block.readUIntLE(at, bytes);
        at += bytes;
      }
      length += 1;
      block.copy(out, end, at, at + length);
      at += length;
      end += length;
      continue;
    }
    let length = 1 + (tag >> 2);
    let offset;
    if (kind === 1) {
      length = 4 + ((tag >> 2) & 7);
      offset = ((tag >> 5) << 8) | block[at++];
    } else {
      const bytes = kind === 2 ? 2 : 4;
      offset = block.readUIntLE(at, bytes);
      at += bytes;
    }
    // Byte by byte, because a copy may contain what it writes.
    for (let i = 0; i < length; i++) out[end + i] = out[end - offset + i];
    end += length;
  }
  return out;
}

/** The fields of a message in their order: number, and value as BigInt, 8 bytes, or bytes. */
function* fields(message) {
  let at = 0;
  const varint = () => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = BigInt(message[at++]);
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
      shift += 7n;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const [field, wire] = [tag >> 3, tag & 7];
    if (wire === 0) yield [field, varint()];
    else if (wire === 1) {
      yield [field, message.subarray(at, at + 8)];
      at += 8;
    } else if (wire === 2) {
      const length = Number(varint());
      yield [field, message.subarray(at, at + length)];
      at += length;
    } else throw new Error(`wire type ${wire}`);
  }
}

const all = (message, number) => [...fields(message)].filter(([field]) => field === number).map(([, value]) => value);
const one = (message, number) => all(message, number)[0];
const text = (bytes) => (bytes === undefined ? '' : bytes.toString());
const double = (bytes) => (bytes === undefined ? 0 : bytes.readDoubleLE());
const number = (value) => (value === undefined ? undefined : Number(BigInt.asIntN(64, value)));

/** The NaN of series that have ended. */
const STALE = 0x7ff0000000000002n;

function sample(message) {
  const bytes = one(message, 1);
  const value = bytes?.readBigUInt64LE() === STALE ? 'stale' : double(bytes);
  return { value, timestamp: number(one(message, 2)), start: number(one(message, 3)) };
}

function packed(bytes) {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const byte of bytes) {
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) {
      numbers.push(value);
      [value, shift] = [0, 0];
    }
  }
  return numbers;
}

/** A signed integer whose sign is its last bit. */
const zigzag = (value) => (value === undefined ? 0 : Number((value >> 1n) ^ -(value & 1n)));

/** The buckets of one side of a native histogram of remote write, by key. */
function bucketsOf(spans, deltas) {
  const buckets = {};
  let [key, count] = [0, 0];
  for (const span of spans) {
    key += zigzag(one(span, 1));
    for (let length = number(one(span, 2)) ?? 0; length > 0; length--) {
      count += zigzag(deltas.shift());
      if (count > 0) buckets[key] = count;
      key += 1;
    }
  }
  return buckets;
}

function native(message) {
  return {
    count: number(one(message, 1)),
    sum: double(one(message, 3)),
    schema: zigzag(one(message, 4)),
    zeroThreshold: double(one(message, 5)),
    zeroCount: number(one(message, 6)),
    negative: bucketsOf(all(message, 8), all(message, 9)),
    positive: bucketsOf(all(message, 11), all(message, 12)),
    timestamp: number(one(message, 15)),
    start: number(one(message, 17)),
  };
}

function pairs(refs, symbols) {
  return Array.from({ length: refs.length / 2 }, (_, at) => [symbols[refs[2 * at]], symbols[refs[2 * at + 1]]]);
}

/** A request of remote write: `{ version, series: [{ labels: [[name, value]…], samples, exemplars, metadata }], metadata }`. */
export function remoteWrite({ headers, body }) {
  const message = unsnappy(body);
  if (headers['content-type'] === 'application/x-protobuf') {
    const label = (bytes) => [text(one(bytes, 1)), text(one(bytes, 2))];
    return {
      version: 1,
      metadata: all(message, 3).map((bytes) => ({
        type: number(one(bytes, 1)),
        name: text(one(bytes, 2)),
        help: text(one(bytes, 4)),
        unit: text(one(bytes, 5)),
      })),
      series: all(message, 1).map((bytes) => ({
        labels: all(bytes, 1).map(label),
        samples: all(bytes, 2).map(sample),
        exemplars: all(bytes, 3).map((exemplar) => ({
          labels: all(exemplar, 1).map(label),
          value: double(one(exemplar, 2)),
          timestamp: number(one(exemplar, 3)),
        })),
      })),
    };
  }
  const symbols = all(message, 4).map(text);
  return {
    version: 2,
    symbols,
    series: all(message, 5).map((bytes) => ({
      labels: pairs(packed(one(bytes, 1)), symbols),
      samples: all(bytes, 2).map(sample),
      histograms: all(bytes, 3).map(native),
      exemplars: all(bytes, 4).map((exemplar) => ({
        labels: pairs(packed(one(exemplar, 1)), symbols),
        value: double(one(exemplar, 2)),
        timestamp: number(one(exemplar, 3)),
      })),
      metadata: all(bytes, 5).map((metadata) => ({
        type: number(one(metadata, 1)),
        help: symbols[number(one(metadata, 3)) ?? 0],
        unit: symbols[number(one(metadata, 4)) ?? 0],
      }))[0],
    })),
  };
}

/** The values of a request of remote write by series: `name{label="value"}`, sorted; without pushers' own. */
export function valuesOf(request) {
  const values = new Map();
  for (const { labels, samples } of remoteWrite(request).series) {
    const { __name__: name, instance: _, ...own } = Object.fromEntries(labels);
    if (name.startsWith('llmdevops_push_')) continue;
    const shown = Object.entries(own).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
    values.set(`${name}{${shown.join(',')}}`, samples.at(-1)?.value);
  }
  return Object.fromEntries([...values].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The types of OTLP's metrics, and the field of a data point's attributes. */
const TYPES = { 5: ['gauge', 7], 7: ['sum', 7], 9: ['histogram', 9], 10: ['exponential', 1], 11: ['summary', 7] };

/** A request of OTLP: resource attributes, and metrics with their data points. */
export function otlp({ headers, body }) {
  const message = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  const attribute = (bytes) => [text(one(bytes, 1)), text(one(one(bytes, 2), 1))];
  const fixed = (bytes) => (bytes === undefined ? undefined : Number(bytes.readBigUInt64LE()));
  /** The buckets of one side of an exponential histogram, by key of Prometheus. */
  const side = (bytes) => {
    if (bytes === undefined) return {};
    const counts = packed(one(bytes, 2)).map((count, at) => [zigzag(one(bytes, 1)) + 1 + at, count]);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  };
  const resource = one(message, 1);
  return {
    resource: Object.fromEntries(all(one(resource, 1), 1).map(attribute)),
    metrics: all(one(resource, 2), 2).map((metric) => {
      const [field, content] = [...fields(metric)].find(([number]) => number > 3);
      const [type, labels] = TYPES[field];
      const numbers = (bytes, read) => Array.from({ length: bytes.length / 8 }, (_, at) => read(bytes, at * 8));
      return {
        name: text(one(metric, 1)),
        help: text(one(metric, 2)),
        unit: text(one(metric, 3)),
        type,
        temporality: number(one(content, 2)),
        monotonic: number(one(content, 3)),
        points: all(content, 1).map((point) => ({
          labels: Object.fromEntries(all(point, labels).map(attribute)),
          time: fixed(one(point, 3)),
          start: fixed(one(point, 2)),
          ...(type === 'gauge' || type === 'sum'
            ? { value: double(one(point, 4)) }
            : { count: fixed(one(point, 4)), sum: double(one(point, 5)) }),
          ...(type === 'exponential' && {
            schema: zigzag(one(point, 6)),
            zeroCount: fixed(one(point, 7)),
            positive: side(one(point, 8)),
            negative: side(one(point, 9)),
            zeroThreshold: double(one(point, 14)),
          }),
          ...(type === 'histogram' && {
            counts: numbers(one(point, 6), (bytes, at) => Number(bytes.readBigUInt64LE(at))),
            bounds: numbers(one(point, 7), (bytes, at) => bytes.readDoubleLE(at)),
          }),
        })),
      };
    }),
  };
}
