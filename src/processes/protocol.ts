/**
 * The messages between a primary and its workers, as both peers send and read them. Both sides of each: what a primary
 * asks, and what a worker answers.
 */
import { messageOf } from '../errors';
import type { Registry } from '../registry/registry';
import type { MetricObjectWithValues } from '../types';
import { type Packed, pack } from './packing';

export type Families = readonly (MetricObjectWithValues | Packed)[];

/** The types of the messages of one peer. */
interface Dialect {
  readonly request: string;
  readonly answer: string;
}

export const PROM_CLIENT: Dialect = { request: 'prom-client:getMetricsReq', answer: 'prom-client:getMetricsRes' };

const successor = (word: string) => `@prometheus-io/client:${word}`;

export const SUCCESSOR: Dialect = { request: successor('getMetricsReq'), answer: successor('getMetricsRes') };

/** Says that a worker has a registry; a primary sends it to ask for that. */
export const ANNOUNCEMENT = successor('announcement');
/** Brings the last values of a worker that is about to end. */
export const GOODBYE = successor('goodbye');
/** Answers a goodbye. */
export const ACKNOWLEDGEMENT = successor('ack');

/** A number that JSON has no text for: the positions of registry, family and sample, and the number as text. */
type Unusual = readonly [number, number, number, string];

/** Any message. Other programs send messages too, of any form. */
export interface Message {
  readonly type?: unknown;
  readonly requestId?: unknown;
  readonly metrics?: unknown;
  readonly error?: unknown;
  readonly name?: unknown;
  readonly threadId?: unknown;
  readonly primary?: unknown;
  readonly unusual?: unknown;
  /** In a request: true if the answer may have packed families. */
  readonly packs?: unknown;
  /** In an announcement: true if the worker answers with registries that the program has chosen. */
  readonly ownRegistries?: unknown;
  /** In a request: true if a worker that shares its values with the primary is to send none. */
  readonly ofUnshared?: unknown;
  /** In an announcement of a primary: the run that its workers join. */
  readonly run?: unknown;
  /** In a goodbye: true if gauges end with the worker. The successor sends no such member, and counts them for ever. */
  readonly endsGauges?: unknown;
}

/** The message, if it is an object. */
export function messageIn(received: unknown): Message {
  return typeof received === 'object' && received !== null ? received : {};
}

/** Reads the families of a registry. */
type Read = (registry: Registry) => Promise<MetricObjectWithValues[]>;

/** The answer to a request, in the dialect of the request; `undefined` for any other message. */
export async function answerTo(
  message: Message,
  registries: readonly Registry[],
  read: Read = (registry) => registry.getMetricsAsJSON(),
): Promise<object | undefined> {
  const dialect = [PROM_CLIENT, SUCCESSOR].find(({ request }) => request === message.type);
  if (dialect === undefined) return undefined;
  const answer = { type: dialect.answer, requestId: message.requestId };
  try {
    const metrics = await Promise.all(registries.map((registry) => read(registry)));
    const unusual = unusualIn(metrics);
    const sent = message.packs === true ? metrics.map((families) => families.map(pack)) : metrics;
    return { ...answer, metrics: sent, ...(unusual.length > 0 ? { unusual } : {}) };
  } catch (error) {
    return { ...answer, error: messageOf(error) };
  }
}

function unusualIn(registries: readonly (readonly MetricObjectWithValues[])[]): Unusual[] {
  const found: Unusual[] = [];
  for (const [registry, families] of registries.entries()) {
    for (const [family, { values }] of families.entries()) {
      for (const [index, { value }] of (values ?? []).entries()) {
        if (!Number.isFinite(value)) found.push([registry, family, index, String(value)]);
      }
    }
  }
  return found;
}

/** The families of an answer, a list for each registry. What is not one is left out. */
export function familiesIn({ metrics, unusual }: Message): Families[] {
  const lists = Array.isArray(metrics) ? metrics.filter((list): list is Families => Array.isArray(list)) : [];
  for (const [registry, family, index, text] of Array.isArray(unusual) ? (unusual as Unusual[]) : []) {
    const sample = samplesOf(lists[registry]?.[family])[index];
    if (sample !== undefined) sample.value = Number(text);
  }
  const read = lists.map((list) => list.filter(isFamily));
  for (const list of read) for (const family of list) for (const sample of samplesOf(family)) restore(sample);
  return read;
}

/** True for what looks like a family, packed or not: a worker may send anything. */
function isFamily(family: unknown): family is Families[number] {
  const { name, values, slots, labels, numbers } = (family ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && (slots === undefined ? [values] : [slots, labels, numbers]).every(Array.isArray);
}

function samplesOf(family: Families[number] | undefined): { value: number }[] {
  return (family as Partial<MetricObjectWithValues> | undefined)?.values ?? [];
}

/** A peer's worker sends NaN and the infinities as `null`. */
function restore(sample: { value: number | null } | null): void {
  if (sample?.value === null) sample.value = Number.NaN;
}
