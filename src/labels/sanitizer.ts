/**
 * Declares and checks the settings of a registry's sanitizer, which cleans the label values of new series. The cleaning
 * itself is the core's.
 */
import { refuseOption } from '../errors';
import { addon, type SanitizerSettings } from '../native/addon';
import { checkOptionNames, optionNames } from '../options';

/**
 * The action for content that does not belong in a label.
 *
 * - `keep`: the value is not searched for it.
 * - `warn`: the value is recorded unchanged, and a warning is logged.
 * - `redact`: the content is replaced by a word such as `[email]`.
 * - `drop`: the label is left out.
 */
export type SanitizerAction = 'keep' | 'warn' | 'redact' | 'drop';

/** The action for each kind of content. */
export interface SanitizerDetections {
  /** API keys with a well-known prefix, and private keys. @default 'redact' */
  apiKey?: SanitizerAction | undefined;
  /** Bearer tokens, JSON web tokens, credentials in URLs. @default 'redact' */
  token?: SanitizerAction | undefined;
  /** Numbers of payment cards. @default 'redact' */
  cardNumber?: SanitizerAction | undefined;
  /** E-mail addresses. @default 'redact' */
  email?: SanitizerAction | undefined;
  /** UUIDs. @default 'warn' */
  uuid?: SanitizerAction | undefined;
  /** A date with a time, or a value that is seconds or milliseconds since 1970 as a whole. @default 'warn' */
  timestamp?: SanitizerAction | undefined;
}

/**
 * Settings of the sanitizer. It runs once for each new label set, and not for label sets that already have a series.
 */
export interface SanitizerOptions {
  /**
   * Maximum number of characters of a value, with the mark of a cut; 0 to 1000000, where 0 is no limit.
   *
   * @default 128
   */
  maxLength?: number | undefined;
  /** The treatment of control characters and invisible formatting characters. @default 'replace' */
  controlCharacters?: 'keep' | 'remove' | 'replace' | undefined;
  /** `nfc` normalizes to Unicode's form NFC, `ascii` replaces all characters that are not ASCII. @default 'keep' */
  unicode?: 'keep' | 'nfc' | 'ascii' | undefined;
  /** Prefixes that a label name must not have. @default ['__'] */
  reservedPrefixes?: readonly string[] | undefined;
  /** One action for all kinds of content, or an action for each kind. */
  detect?: SanitizerAction | SanitizerDetections | undefined;
}

const OPTIONS = optionNames<SanitizerOptions>('sanitize', {
  maxLength: true,
  controlCharacters: true,
  unicode: true,
  reservedPrefixes: true,
  detect: true,
});
const DETECTIONS = optionNames<SanitizerDetections>('sanitize.detect', {
  apiKey: true,
  token: true,
  cardNumber: true,
  email: true,
  uuid: true,
  timestamp: true,
});

/** Upper bound of `maxLength`. */
const LARGEST_LENGTH = 1_000_000;

/**
 * Converts the options to the core's settings; `undefined` if there is to be no sanitizer.
 *
 * @throws {ConfigurationError} `INVALID_CONFIG` for an invalid type or an unknown option; the core checks the words
 */
export function checkedSanitizer(options: boolean | SanitizerOptions): SanitizerSettings | undefined {
  if (options === false) return undefined;
  if (options === true) return { kinds: [], actions: [] };
  if (typeof options !== 'object' || options === null) refuseOption('true, false or settings', 'sanitize', options);
  checkOptionNames(options, OPTIONS);
  const { maxLength, controlCharacters, unicode, reservedPrefixes, detect } = options;
  const settings: SanitizerSettings = readActions(detect);
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

function readActions(detect: SanitizerOptions['detect']): { kinds: string[]; actions: string[] } {
  if (detect === undefined) return { kinds: [], actions: [] };
  if (typeof detect === 'string') {
    const kinds = addon.findingKinds();
    return { kinds, actions: kinds.map(() => detect) };
  }
  if (typeof detect !== 'object' || detect === null) refuseOption('an action or actions', 'sanitize.detect', detect);
  checkOptionNames(detect, DETECTIONS);
  const given = Object.entries(detect).filter(([, action]) => action !== undefined);
  return {
    kinds: given.map(([kind]) => kind),
    actions: given.map(([kind, action]) => checkedWord(`sanitize.detect.${kind}`, action)),
  };
}

function checkedWord(name: string, word: unknown): string {
  return typeof word === 'string' ? word : refuseOption('a string', name, word);
}
