/**
 * Label sets beyond the limits of one metric: which refusals still hold, how many calls had one, and the warning. The
 * core decides; what is kept here spares it the question, so that an attacker's label set costs no more than an honest
 * one. Knows nothing of how a series is written.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { CardinalityError } from '../errors';
import type { NativeFamily } from '../native/addon';
import { cellIndexOf, cellsOf } from '../native/contributor';

/** A minute passes between two warnings of the same metric. */
const SILENCE_MS = 60_000;
/** How long a first warning waits for more samples. */
const GATHERING_MS = 1000;
/** Label sets that a warning shows. */
const SAMPLES = 3;

/**
 * Goes up whenever there may be room again for what was refused: refusals that are older are asked for anew. One for
 * the realm, because the limit of a registry spans its metrics.
 */
let vacancies = 0;

/** Says that there may be room again. */
export function forgetRefusals(): void {
  vacancies++;
}

/** The reason why a label set gets no series. */
export class Refusal {
  constructor(
    /** The kind of limit that was reached. */
    readonly of: 'metric' | 'registry' | 'label',
    readonly max: number,
    /** The index of the label, if the limit is on the number of its values. */
    readonly label: number,
  ) {}
}

/** The value of labels beyond a limit. */
export const BEYOND = 'other';

/** A label whose number of values has a limit. */
interface LimitedLabel {
  /** Of a value too many. */
  readonly refusal: Refusal;
  /** Its values, `other` and none left out, and how many series have each. */
  readonly values: Map<string, number>;
}

const LIMITS = ['metric', 'registry', 'label'] as const;

/** The core's answer to a label set that it did not take. */
export function toRefusal([limit, max, label]: readonly number[]): Refusal {
  return new Refusal(LIMITS[limit], max, label);
}

/** What a metric knows of label sets beyond its limits. */
export class Overflow {
  readonly #family: NativeFamily;
  readonly #name: string;
  readonly #labelNames: readonly string[];
  readonly #warn: (message: string) => void;
  /** What `vacancies` was when the core was asked last: what is known from then holds as long as that does. */
  #since = -1;
  /** The refusal of any new label set, if there is one. */
  #full: Refusal | undefined;
  /** In the order of the label names, as the core goes through them. Few: labels have no limit unless they are given one. */
  #limited: readonly LimitedLabel[] = [];
  #policy: 'fold' | 'drop' | 'throw' = 'fold';
  /** Where calls are counted; a cell of the core, as it is scraped. */
  #cells: Float64Array | undefined;
  #index = 0;
  /** Since the last warning. */
  #samples: (readonly string[])[] = [];
  /** Whether counting is all there is to do, because there are samples enough. */
  #quiet = false;
  /** Nothing to warn of; a warning that waits for more samples; one that was given less than a minute ago. */
  #state: 'idle' | 'gathering' | 'silent' = 'idle';
  #timer: NodeJS.Timeout | undefined;

  constructor(family: NativeFamily, name: string, labelNames: readonly string[], warn: (message: string) => void) {
    this.#family = family;
    this.#name = name;
    this.#labelNames = labelNames;
    this.#warn = warn;
  }

  /** What becomes of what is refused. */
  get policy(): 'fold' | 'drop' | 'throw' {
    return this.#policy;
  }

  /** Whether every new label set is refused for the same reason, for all that is known. */
  get isFull(): boolean {
    return this.#since === vacancies && this.#full !== undefined && this.#limited.length === 0;
  }

  /** Whether label sets may be refused for a value of theirs, whatever the others are. */
  get hasLimitedLabel(): boolean {
    return this.#since === vacancies && this.#limited.length > 0;
  }

  /** Whether this value of a label is known to be refused. */
  refusesText(label: number, text: string): boolean {
    const limited = this.#limited.find((candidate) => candidate.refusal.label === label);
    return this.#since === vacancies && limited !== undefined && isBeyond(limited, text);
  }

  /** The refusal of a new label set, if one is known to hold. */
  known(texts: readonly string[]): Refusal | undefined {
    if (this.#since !== vacancies) return undefined;
    // First, as in the core: a value that becomes `other` makes another label set, which may be there.
    for (const limited of this.#limited) {
      if (isBeyond(limited, texts[limited.refusal.label])) return limited.refusal;
    }
    return this.#full;
  }

  /** Remembers a refusal; `entries` are the series there are, by their texts. */
  remember(refusal: Refusal, entries: () => Iterable<readonly [readonly string[], unknown]>): void {
    if (refusal.of !== 'label') this.#full = refusal;
    else if (this.#since !== vacancies) this.#full = undefined;
    if (this.#since === vacancies) return;
    this.#since = vacancies;
    const { policy, labels, labelLimits } = this.#family.limits();
    this.#policy = policy;
    this.#limited = labels.map((label, index) => {
      const known = this.#limited.find(({ refusal }) => refusal.label === label);
      return {
        refusal: new Refusal('label', labelLimits[index], label),
        values: known?.values ?? valuesOf(label, entries()),
      };
    });
  }

  /** A series was added. */
  added(texts: readonly string[]): void {
    for (const { refusal, values } of this.#limited) count(values, texts[refusal.label], 1);
  }

  /** A series has gone: there is room again. */
  removed(texts: readonly string[]): void {
    for (const { refusal, values } of this.#limited) count(values, texts[refusal.label], -1);
    forgetRefusals();
  }

  /** All series have gone. */
  cleared(): void {
    for (const { values } of this.#limited) values.clear();
    forgetRefusals();
  }

  /** Counts a call; returns whether `sample()` wants its texts. */
  count(): boolean {
    (this.#cells ?? this.#findCell())[this.#index] -= -1;
    return !this.#quiet;
  }

  #findCell(): Float64Array {
    const slot = this.#family.overflowSlot();
    this.#cells = cellsOf(slot);
    this.#index = cellIndexOf(slot);
    return this.#cells;
  }

  /** Keeps the texts of a label set for the warning, and sees to it that there is one. */
  sample(texts: readonly string[]): void {
    this.#samples.push(texts);
    this.#quiet = this.#samples.length === SAMPLES;
    if (this.#state === 'idle') {
      this.#state = 'gathering';
      this.#timer = setTimeout(() => this.#giveWarning(), GATHERING_MS).unref();
    }
    if (this.#state === 'gathering' && this.#quiet) {
      clearTimeout(this.#timer);
      this.#state = 'silent';
      // Later, because a recording call does not wait for a logger.
      process.nextTick(() => this.#giveWarning());
    }
  }

  #giveWarning(): void {
    // What is written goes through every series, so a thread of the pool does it.
    const written = this.#family.overflowWarning(this.#samples.map((texts) => [...texts]));
    written.then(this.#warn, () => undefined);
    this.#samples = [];
    this.#quiet = false;
    this.#state = 'silent';
    this.#timer = setTimeout(() => this.#endSilence(), SILENCE_MS).unref();
  }

  #endSilence(): void {
    // Another thread may have raised limits: once a minute the core is asked again.
    forgetRefusals();
    if (this.#samples.length > 0) this.#giveWarning();
    else this.#state = 'idle';
  }

  /** The error of a policy that throws. */
  error({ of, max, label }: Refusal): CardinalityError {
    const limit = {
      metric: 'series of the metric',
      registry: 'series of the registry',
      label: `values of the label "${this.#labelNames[label]}"`,
    }[of];
    return new CardinalityError(`Expected at most ${max} ${limit} but ${this.#name} received a label set beyond`);
  }
}

/** Whether a text is a value too many of its label. */
function isBeyond({ refusal, values }: LimitedLabel, text: string): boolean {
  return values.size >= refusal.max && isCounted(text) && !values.has(text);
}

/** Whether a text counts as a value of its label. */
function isCounted(text: string): boolean {
  return text !== '' && text !== BEYOND;
}

/** The values of a label in these series, and how many have each. */
function valuesOf(label: number, entries: Iterable<readonly [readonly string[], unknown]>): Map<string, number> {
  const values = new Map<string, number>();
  for (const [texts] of entries) count(values, texts[label], 1);
  return values;
}

/** Counts a value up or down; one that no series has is forgotten. */
function count(values: Map<string, number>, text: string, by: 1 | -1): void {
  if (!isCounted(text)) return;
  const series = (values.get(text) ?? 0) + by;
  if (series > 0) values.set(text, series);
  else values.delete(text);
}
