/**
 * Turns a model's name into a label value: one name for all dated versions of a model, without accounts, projects,
 * deployments and tunings. `crate/core/src/collectors/llm/model_name.rs` has the same rules; change both together.
 */
import { OTHER } from '../label-values';

/** Matches `-2024-08-06`, `-20241022`, `@20240229`, at the end or before Bedrock's version. */
const DATE = /[-@]20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?=$|-v\d|:)/;
/** `ft:gpt-4o-mini-2024-07-18:acme::abc123` */
const FINE_TUNED = /^ft:([^:]+)/;
/** `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-v1:0` */
const ARN = /arn:aws[^/]*:([a-z-]+)\/(.+)$/;
/** Amazon's resources whose last part is the name of a public model. */
const PUBLIC_RESOURCES: ReadonlySet<string | undefined> = new Set(['foundation-model', 'inference-profile']);
/** Resources of one account: their last part is a number, or a name that the account's owner chose. */
const PRIVATE_PATH = /(?:^|\/)(?:endpoints|deployments|deployedModels|tunedModels)\//;
/** `projects/p/locations/l/publishers/google/models/gemini-2.5-flash`, `accounts/fireworks/models/llama-v3p1-8b-instruct` */
const MODEL_PATH = /^(?:projects|publishers|accounts|models)\/(?:.*\/)?([^/]+)$/;
/** A number or a UUID: the id of an endpoint or a tuning. */
const ID = /^(?:\d{6,}|[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}(?:-ft)?)$/i;

/** The name of a model without its date; `ft:` and the base model for a fine-tuned one; `other` for an id of an account. */
export function normalizeModel(model: string): string {
  const [, base] = FINE_TUNED.exec(model) ?? [];
  if (base !== undefined) return `ft:${base.replace(DATE, '')}`;
  const name = publicName(model);
  return ID.test(name) ? OTHER : name.replace(DATE, '');
}

function publicName(given: string): string {
  // Fireworks puts the deployment behind the model.
  const [model = given] = given.split('#', 1);
  const [isArn, resource, name] = ARN.exec(model) ?? [];
  if (isArn !== undefined) return PUBLIC_RESOURCES.has(resource) ? (name as string) : OTHER;
  if (PRIVATE_PATH.test(model)) return OTHER;
  return MODEL_PATH.exec(model)?.[1] ?? model;
}
