/**
 * Models as labels show them: one name for all dated versions of a model, and none that has an account's name in it.
 */

/** `-2024-08-06`, `-20241022`, `@20240229`, and a version of Bedrock's behind. */
const DATE = /[-@]20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?=$|-v\d|:)/;
/** `ft:gpt-4o-mini-2024-07-18:acme::abc123` */
const FINE_TUNED = /^ft:([^:]+)/;

/** The name of a model without its date; of a fine-tuned one, `ft:` and what it was made from. */
export function normalizeModel(model: string): string {
  const [, base] = FINE_TUNED.exec(model) ?? [];
  if (base !== undefined) return `ft:${base.replace(DATE, '')}`;
  return model.replace(DATE, '');
}
