/**
 * Settings of a registry's sanitizer: what cleans the label values of new series. What it finds and how, the core says.
 */
import { refuseOption } from '../errors';
import { addon, type SanitizerSettings } from '../native/addon';

/**
 * What is done about content that should not be in a label. `keep`: nothing, it is not looked for. `warn`: it is recorded,
 * and warned of. `redact`: a word such as `[email]` stands in its place. `drop`: the label is left out.
 */
export type SanitizerAction = 'keep' | 'warn' | 'redact' | 'drop';

/** What is looked for, and what is done about each. */
export interface SanitizerDetections {
  /** A key with a well-known prefix, or a private key. @default 'redact' */
  apiKey?: SanitizerAction | undefined;
  /** A bearer token, a JSON web token, credentials in a URL. @default 'redact' */
  token?: SanitizerAction | undefined;
  /** The number of a payment card. @default 'redact' */
  cardNumber?: SanitizerAction | undefined;
  /** @default 'redact' */
  email?: SanitizerAction | undefined;
  /** @default 'warn' */
  uuid?: SanitizerAction | undefined;
  /** A date with a time, or a whole value that counts seconds or milliseconds since 1970. @default 'warn' */
  timestamp?: SanitizerAction | undefined;
}

/** How the label values of new series are cleaned. Runs once for a new label set, never where it was seen before. */
export interface SanitizerOptions {
  /** Characters of a value, the mark of a cut included; 0 for no limit. @default 128 */
  maxLength?: number | undefined;
  /** Control characters, and those that are not seen but change what is. @default 'replace' */
  controlCharacters?: 'keep' | 'remove' | 'replace' | undefined;
  /** `nfc` gives one form to texts that look alike, `ascii` replaces what is beyond it. @default 'keep' */
  unicode?: 'keep' | 'nfc' | 'ascii' | undefined;
  /** How label names may not begin. @default ['__'] */
  reservedPrefixes?: readonly string[] | undefined;
  /** One action for everything, or one for each kind. */
  detect?: SanitizerAction | SanitizerDetections | undefined;
}

/** The longest maximum there is sense in. */
const LARGEST_LENGTH = 1_000_000;

/**
 * Settings for the core; nothing where there is to be no sanitizer.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for what has a wrong type; wrong words the core refuses
 */
export function checkedSanitizer(options: boolean | SanitizerOptions): SanitizerSettings | undefined {
  if (options === false) return undefined;
  if (options === true) return { kinds: [], actions: [] };
  if (typeof options !== 'object' || options === null) refuseOption('true, false or settings', 'sanitize', options);
  const { maxLength, controlCharacters, unicode, reservedPrefixes, detect } = options;
  const settings: SanitizerSettings = actionsOf(detect);
  if (maxLength !== undefined) {
    if (!Number.isInteger(maxLength) || maxLength < 0 || maxLength > LARGEST_LENGTH) {
      refuseOption(`an integer from 0 to ${LARGEST_LENGTH}`, 'sanitize.maxLength', maxLength);
    }
    settings.maxLength = maxLength;
  }
  if (controlCharacters !== undefined) {
    settings.controlCharacters = checkedWord('sanitize.controlCharacters', controlCharacters);
  }
  if (unicode !== undefined) settings.unicode = checkedWord('sanitize.unicode', unicode);
  if (reservedPrefixes !== undefined) {
    if (!Array.isArray(reservedPrefixes) || !reservedPrefixes.every((prefix) => typeof prefix === 'string')) {
      refuseOption('an array of strings', 'sanitize.reservedPrefixes', reservedPrefixes);
    }
    settings.reservedPrefixes = [...reservedPrefixes];
  }
  return settings;
}

function actionsOf(detect: SanitizerOptions['detect']): { kinds: string[]; actions: string[] } {
  if (detect === undefined) return { kinds: [], actions: [] };
  if (typeof detect === 'string') {
    const kinds = addon.findingKinds();
    return { kinds, actions: kinds.map(() => detect) };
  }
  if (typeof detect !== 'object' || detect === null) refuseOption('an action or actions', 'sanitize.detect', detect);
  const given = Object.entries(detect).filter(([, action]) => action !== undefined);
  return {
    kinds: given.map(([kind]) => kind),
    actions: given.map(([kind, action]) => checkedWord(`sanitize.detect.${kind}`, action)),
  };
}

function checkedWord(name: string, word: unknown): string {
  return typeof word === 'string' ? word : refuseOption('a string', name, word);
}
