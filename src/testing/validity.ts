/**
 * Checks if an exposition is valid, for assertions and matchers.
 */
import { types } from 'node:util';
import { ConfigurationError, describe, ExpositionError } from '../errors';
import { checkOptionNames } from '../options';
import type { ScrapeResponse } from '../registry/scraping';
import type { Check } from './checks';
import { type ExpositionFormat, formatOf, PARSE_OPTIONS, type ParseOptions, parseExposition } from './parse';

/** An exposition: its text, its bytes, or the answer of `registry.scrape()`, whose content type names the format. */
export type ExpositionSource = string | Uint8Array | Pick<ScrapeResponse, 'headers' | 'body'>;

/** Passes if the whole exposition can be parsed. The rules are as strict as Prometheus, unless `strict` is false. */
export function checkExposition(exposition: unknown, options: ParseOptions = {}): Check {
  checkOptionNames(options, PARSE_OPTIONS);
  const { format = namedFormat(exposition), strict = true } = options ?? {};
  const fault = faultOf(contentOf(exposition), format === undefined ? { strict } : { format, strict });
  return {
    pass: fault === undefined,
    expected: undefined,
    actual: fault,
    message: (negated) =>
      negated
        ? 'Expected an invalid exposition, but it is valid.'
        : `Expected a valid exposition, but it is invalid.\n\n${fault}`,
  };
}

function contentOf(exposition: unknown): string | Uint8Array {
  if (typeof exposition === 'string' || types.isUint8Array(exposition)) return exposition;
  const { body } = (exposition ?? {}) as Partial<ScrapeResponse>;
  if (types.isUint8Array(body)) return body;
  throw new ConfigurationError(
    'INVALID_CONFIG',
    `Expected the text of an exposition, or the answer of scrape(), but received ${describe(exposition)}`,
  );
}

/** The format by the content type of an answer. */
function namedFormat(exposition: unknown): ExpositionFormat | undefined {
  const type = (exposition as Partial<ScrapeResponse>).headers?.['content-type'];
  return type === undefined ? undefined : formatOf(type);
}

function faultOf(content: string | Uint8Array, options: ParseOptions): string | undefined {
  try {
    parseExposition(content, options);
    return undefined;
  } catch (error) {
    if (error instanceof ExpositionError) return error.message;
    throw error;
  }
}
