/**
 * Label sets that a test means, as a PromQL selector means them: the labels that are named decide, others may be there.
 */
import { inspect } from 'node:util';
import { toText } from '../labels/value';

/** Labels as they print. */
export type Labels = Readonly<Record<string, string>>;

/** `expect.any(String)`, `expect.stringContaining('…')` and the like, of Jest and Vitest. */
export interface AsymmetricMatcher {
  asymmetricMatch(value: unknown): boolean;
}

/** What a label has to be. `null`, `undefined` and `''` want it absent. */
export type LabelExpectation = string | number | boolean | bigint | null | undefined | RegExp | AsymmetricMatcher;

/** Labels that a series has to have, among others: `{}` is every series. */
export type Selector = Readonly<Record<string, LabelExpectation>> | AsymmetricMatcher;

/** Labels as they print: absent and empty ones are left out. */
export function printed(labels: Readonly<Record<string, unknown>>): Labels {
  const texts = Object.entries(labels).map(([name, value]) => [name, toText(name, value)] as const);
  return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}

export function isAsymmetric(value: unknown): value is AsymmetricMatcher {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}

/** Whether a series is meant. */
export function selects(selector: Selector, labels: Labels): boolean {
  return isAsymmetric(selector) ? selector.asymmetricMatch(labels) : misses(selector, labels) === 0;
}

/** How many of the wanted labels a series has otherwise. */
export function misses(selector: Selector, labels: Labels): number {
  if (isAsymmetric(selector)) return selector.asymmetricMatch(labels) ? 0 : 1;
  return Object.entries(selector).filter(
    ([name, wanted]) => !isAsWanted(name, wanted, Object.hasOwn(labels, name) ? labels[name] : ''),
  ).length;
}

function isAsWanted(name: string, wanted: LabelExpectation, text: string): boolean {
  if (isAsymmetric(wanted)) return wanted.asymmetricMatch(text);
  // Without what it remembers of the last search: the same expression is tried on every series.
  if (wanted instanceof RegExp) return text.search(wanted) >= 0;
  // Bounds are numbers, which OpenMetrics prints as 1.0 and text as 1.
  if (typeof wanted === 'number' && (name === 'le' || name === 'quantile')) return boundOf(text) === wanted;
  return toText(name, wanted) === text;
}

function boundOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
}

/** The longest label value that a message shows whole. */
const SHOWN_CHARACTERS = 100;

/** A series as an exposition prints it, long values cut. */
export function showSeries(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${quoted(text)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

/** What is wanted, in the same notation. */
export function showSelector(name: string, selector: Selector): string {
  if (isAsymmetric(selector)) return `${name}{${showMatcher(selector)}}`;
  const pairs = Object.entries(selector).map(([label, wanted]) => {
    if (isAsymmetric(wanted)) return `${label}=${showMatcher(wanted)}`;
    if (wanted instanceof RegExp) return `${label}=~${wanted}`;
    return `${label}=${quoted(toText(label, wanted))}`;
  });
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

const ON_ONE_LINE = { breakLength: Number.POSITIVE_INFINITY };

/** What matchers of runners have beside the one method that makes them matchers. */
interface ShowableMatcher extends AsymmetricMatcher {
  toAsymmetricMatcher?(): string;
  readonly sample?: unknown;
}

/** An asymmetric matcher as its runner shows it: `Any<String>`, `StringContaining "50"`. */
export function showMatcher(matcher: ShowableMatcher): string {
  if (typeof matcher.toAsymmetricMatcher === 'function') return matcher.toAsymmetricMatcher();
  const { sample } = matcher;
  if (sample === undefined) return inspect(matcher, ON_ONE_LINE);
  return `${matcher} ${typeof sample === 'string' ? JSON.stringify(sample) : inspect(sample, ON_ONE_LINE)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}
