/**
 * Selects series by labels, as a PromQL selector does: the given labels must match, other labels are allowed.
 */
import { inspect, types } from 'node:util';
import { toText } from '../labels/value';

/** Labels as printed. */
export type Labels = Readonly<Record<string, string>>;

/** `expect.any(String)`, `expect.stringContaining('…')` and the like, of Jest and Vitest. */
export interface AsymmetricMatcher {
  asymmetricMatch(value: unknown): boolean;
}

/** The expected value of a label. `null`, `undefined` and `''` mean that the label must be absent. */
export type LabelExpectation = string | number | boolean | bigint | null | undefined | RegExp | AsymmetricMatcher;

/** Labels that a series must have; it may have others. `{}` selects every series. */
export type Selector = Readonly<Record<string, LabelExpectation>> | AsymmetricMatcher;

/** Labels as printed, without absent and empty ones. */
export function printed(labels: Readonly<Record<string, unknown>>): Labels {
  const texts = Object.entries(labels).map(([name, value]) => [name, toText(name, value)] as const);
  return Object.fromEntries(texts.filter(([, text]) => text !== ''));
}

export function isAsymmetric(value: unknown): value is AsymmetricMatcher {
  return typeof value === 'object' && value !== null && 'asymmetricMatch' in value;
}

/** True if a series is selected. */
export function selects(selector: Selector, labels: Labels): boolean {
  return isAsymmetric(selector) ? selector.asymmetricMatch(labels) : misses(selector, labels) === 0;
}

/** The number of expected labels that do not match. */
export function misses(selector: Selector, labels: Labels): number {
  if (isAsymmetric(selector)) return selector.asymmetricMatch(labels) ? 0 : 1;
  return Object.entries(selector).filter(
    ([name, wanted]) => !isAsWanted(name, wanted, Object.hasOwn(labels, name) ? labels[name] : ''),
  ).length;
}

function isAsWanted(name: string, wanted: LabelExpectation, text: string): boolean {
  if (isAsymmetric(wanted)) return wanted.asymmetricMatch(text);
  // search() ignores `lastIndex`, which a global expression keeps from the series before.
  if (types.isRegExp(wanted)) return text.search(wanted) >= 0;
  // Compare bounds as numbers, because OpenMetrics prints 1.0 and the text format 1.
  if (typeof wanted === 'number' && (name === 'le' || name === 'quantile')) return boundOf(text) === wanted;
  return toText(name, wanted) === text;
}

function boundOf(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text);
}

/** Characters of a label value that a message shows. */
const SHOWN_CHARACTERS = 100;

/** A series as in an exposition, with long values shortened. */
export function showSeries(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${quoted(text)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

/** A selector, in the notation of PromQL. */
export function showSelector(name: string, selector: Selector): string {
  if (isAsymmetric(selector)) return `${name}{${showMatcher(selector)}}`;
  const pairs = Object.entries(selector).map(([label, wanted]) => {
    if (isAsymmetric(wanted)) return `${label}=${showMatcher(wanted)}`;
    if (types.isRegExp(wanted)) return `${label}=~${wanted}`;
    return `${label}=${quoted(toText(label, wanted))}`;
  });
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

const ON_ONE_LINE = { breakLength: Number.POSITIVE_INFINITY };

/** Optional members of a runner's matchers, which describe them. */
interface ShowableMatcher extends AsymmetricMatcher {
  toAsymmetricMatcher?(): string;
  readonly sample?: unknown;
}

/** An asymmetric matcher in its runner's notation: `Any<String>`, `StringContaining "50"`. */
export function showMatcher(matcher: ShowableMatcher): string {
  if (typeof matcher.toAsymmetricMatcher === 'function') return matcher.toAsymmetricMatcher();
  const { sample } = matcher;
  if (sample === undefined) return inspect(matcher, ON_ONE_LINE);
  return `${matcher} ${typeof sample === 'string' ? JSON.stringify(sample) : inspect(sample, ON_ONE_LINE)}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text);
}
