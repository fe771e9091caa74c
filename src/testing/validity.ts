/**
 * Whether a text is an exposition, for assertions.
 */
import { ConfigurationError, describe, messageOf } from '../errors';
import type { ScrapeResponse } from '../registry/registry';
import type { Check } from './checks';
import { parseExposition } from './parse';

/** An exposition: its text, or the answer of `registry.scrape()`, whose content type names the format. */
export type Exposition = string | Pick<ScrapeResponse, 'headers' | 'body'>;

/** How an exposition is to be read. */
export interface ExpositionOptions {
  /**
   * `text` is 0.0.4, `openmetrics` 1.0.
   *
   * @default as the answer's content type says; a text that ends with `# EOF` is OpenMetrics
   */
  readonly format?: 'text' | 'openmetrics';
}

/** Whether an exposition can be read whole. */
export function checkExposition(exposition: unknown, options: ExpositionOptions = {}): Check {
  const { text, format } = textOf(exposition, options);
  const fault = faultOf(text, format);
  const name = format === 'text' ? 'text 0.0.4' : 'OpenMetrics';
  return {
    pass: fault === undefined,
    expected: `valid ${name}`,
    actual: fault ?? `valid ${name}`,
    message: (negated) =>
      negated
        ? `Expected no valid exposition in ${name}, but it is one.`
        : `Expected a valid exposition in ${name}, but ${fault}`,
  };
}

function textOf(exposition: unknown, options: ExpositionOptions): { text: string; format: 'text' | 'openmetrics' } {
  if (typeof exposition === 'string') {
    return { text: exposition, format: options.format ?? (/\n?# EOF\n?$/.test(exposition) ? 'openmetrics' : 'text') };
  }
  const { headers, body } = (exposition ?? {}) as Partial<ScrapeResponse>;
  if (headers === undefined || !(body instanceof Uint8Array)) {
    throw new ConfigurationError(
      'INVALID_CONFIG',
      `Expected the text of an exposition, or the answer of scrape(), but received ${describe(exposition)}`,
    );
  }
  const openmetrics = headers['content-type']?.startsWith('application/openmetrics-text');
  return { text: Buffer.from(body).toString(), format: options.format ?? (openmetrics ? 'openmetrics' : 'text') };
}

function faultOf(text: string, format: 'text' | 'openmetrics'): string | undefined {
  try {
    (parseExposition as (text: string, options: { format: string }) => unknown)(text, { format });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
