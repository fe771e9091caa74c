/**
 * Turns a model's name into a label value: one name for all dated versions of a model, without the name of an account.
 */

/** Matches `-2024-08-06`, `-20241022`, `@20240229`, at the end or before Bedrock's version. */
const DATE = /[-@]20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?=$|-v\d|:)/;
/** `ft:gpt-4o-mini-2024-07-18:acme::abc123` */
const FINE_TUNED = /^ft:([^:]+)/;

/** The name of a model without its date. For a fine-tuned model, `ft:` and the name of its base model. */
export function normalizeModel(model: string): string {
  const [, base] = FINE_TUNED.exec(model) ?? [];
  if (base !== undefined) return `ft:${base.replace(DATE, '')}`;
  return model.replace(DATE, '');
}
