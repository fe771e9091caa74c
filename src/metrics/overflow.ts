/**
 * Remembers which label sets the core refuses, counts the calls over a limit, and logs the warning. The core decides;
 * remembering its answers saves a native call for each label set over a limit, so that an attacker's calls cost
 * about as much as normal ones. Predicts limits of labels by the rule of `Admission::admit` in
 * `crate/core/src/registry/admission.rs`; change both together. Does not depend on how a series is written.
 */
import { clearTimeout, setTimeout } from 'node:timers';
import { CardinalityError } from '../errors';
import { OTHER } from '../labels/value';
import type { NativeFamily } from '../native/addon';
import { cellIndexOf, cellsOf } from '../native/contributor';
import { WARNING_INTERVAL_MS } from '../warnings';
import { ValueCounts } from './value-counts';

/** The time that a first warning waits for more samples. */
const GATHERING_MS = 1000;
/** The number of label sets that a warning shows. */
const SAMPLES = 3;

/**
 * Generation counter. It is increased when a limit may have room again; refusals remembered from an older generation
 * are discarded. One counter for the realm, because the limit of a registry spans its metrics.
 */
let generation = 0;

/** Discards all remembered refusals, because a limit may have room again. */
export function forgetRefusals(): void {
  generation++;
}

/** The core's decision what to do with a call over a limit: throw an error, record nothing, or record it as `other`. */
export type Fallback = 'throw' | 'drop' | 'fold';

/** The reason why a label set gets no series, and what to do instead. */
export class Refusal {
  constructor(
    /** The kind of limit that was reached. */
    readonly of: 'metric' | 'registry' | 'label',
    readonly max: number,
    /** The index of the label, if the limit is on the number of its values. */
    readonly labelIndex: number,
    readonly fallback: Fallback,
    /** Indices of the labels whose value becomes `other`. If empty, the value of every label does. */
    readonly folded: readonly number[],
  ) {}
}

/** A label with a limit on the number of its values. */
interface LimitedLabel {
  /** The refusal of one value too many. */
  readonly refusal: Refusal;
  /** The number of series by value, without `other` and absent values. */
  readonly values: ValueCounts;
}

const LIMITS = ['metric', 'registry', 'label'] as const;
const FALLBACKS = ['throw', 'drop', 'fold'] as const;

/** Converts the core's answer to a label set that it refused. */
export function toRefusal([limit, max, labelIndex, fallback, ...folded]: readonly number[]): Refusal {
  return new Refusal(LIMITS[limit], max, labelIndex, FALLBACKS[fallback], folded);
}

/** The label sets of one metric that are over a limit. */
export class Overflow {
  readonly #family: NativeFamily;
  readonly #name: string;
  readonly #labelNames: readonly string[];
  readonly #warn: (message: string) => void;
  /** The generation of the last answer of the core. The remembered refusals are valid while it is the current one. */
  #since = -1;
  /** The refusal of every new label set, if the metric or registry is full. */
  #full: Refusal | undefined;
  /** In the order of the label names, as in the core. Usually empty: labels have no limit by default. */
  #limited: readonly LimitedLabel[] = [];
  #fallback: Fallback = 'fold';
  /** The slab with the core's cell that counts the calls, and the index of the cell in it. */
  #cells: Float64Array | undefined;
  #index = 0;
  /** Label sets for the next warning. */
  #samples: (readonly string[])[] = [];
  /** True while there are enough samples: calls are then only counted. */
  #quiet = false;
  /**
   * `idle`: no warning is due. `gathering`: a warning waits for samples. `silent`: the last one is under a minute old.
   */
  #state: 'idle' | 'gathering' | 'silent' = 'idle';
  #timer: NodeJS.Timeout | undefined;

  constructor(family: NativeFamily, name: string, labelNames: readonly string[], warn: (message: string) => void) {
    this.#family = family;
    this.#name = name;
    this.#labelNames = labelNames;
    this.#warn = warn;
  }

  get fallback(): Fallback {
    return this.#fallback;
  }

  /** True if every new label set is known to be refused for the same reason. */
  get isFull(): boolean {
    return this.#since === generation && this.#full !== undefined && this.#limited.length === 0;
  }

  /** True if a label set may be refused because of a single value. */
  get hasLimitedLabel(): boolean {
    return this.#since === generation && this.#limited.length > 0;
  }

  /** The refusal of a new label set, if it is known and still valid. */
  known(texts: readonly string[]): Refusal | undefined {
    if (this.#since !== generation) return undefined;
    // Labels first, as in the core: with values replaced by `other` it is another label set, which may exist.
    let known: Refusal | undefined;
    for (const limited of this.#limited) {
      if (isBeyond(limited, texts[limited.refusal.labelIndex])) known = withLabel(known, limited.refusal);
    }
    return known ?? this.#full;
  }

  /** Remembers a refusal. @param texts those of all series */
  remember(refusal: Refusal, texts: () => Iterable<readonly string[]>): void {
    if (refusal.of !== 'label') this.#full = refusal;
    else if (this.#since !== generation) this.#full = undefined;
    if (this.#since === generation) return;
    this.#since = generation;
    this.#fallback = refusal.fallback;
    const { labels, labelLimits } = this.#family.limits();
    this.#limited = labels.map((labelIndex, index) => {
      const known = this.#limited.find(({ refusal }) => refusal.labelIndex === labelIndex);
      return {
        refusal: new Refusal('label', labelLimits[index], labelIndex, refusal.fallback, [labelIndex]),
        values: known?.values ?? countValues(labelIndex, texts()),
      };
    });
  }

  /** A series was added. */
  added(texts: readonly string[]): void {
    for (const { refusal, values } of this.#limited) count(values, texts[refusal.labelIndex], 1);
  }

  /** A series was removed, so there is room again. */
  removed(texts: readonly string[]): void {
    for (const { refusal, values } of this.#limited) count(values, texts[refusal.labelIndex], -1);
    forgetRefusals();
  }

  /** All series were removed. */
  cleared(): void {
    for (const { values } of this.#limited) values.clear();
    forgetRefusals();
  }

  /** Counts a call; returns true if `sample()` needs its texts. */
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

  /** Keeps the texts of a label set for the warning, and schedules the warning. */
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
      // Later, because a recording call must not wait for a logger.
      process.nextTick(() => this.#giveWarning());
    }
  }

  #giveWarning(): void {
    // The text needs a walk through all series, so a thread of the pool writes it.
    const written = this.#family.overflowWarning(this.#samples.map((texts) => [...texts]));
    written.then(this.#warn, () => undefined);
    this.#samples = [];
    this.#quiet = false;
    this.#state = 'silent';
    this.#timer = setTimeout(() => this.#endSilence(), WARNING_INTERVAL_MS).unref();
  }

  #endSilence(): void {
    // Another thread may have raised the limits, so the core is asked again once a minute.
    forgetRefusals();
    if (this.#samples.length > 0) this.#giveWarning();
    else this.#state = 'idle';
  }

  /** The error for the policy `throw`. */
  error({ of, max, labelIndex }: Refusal): CardinalityError {
    const limit = {
      metric: 'series of the metric',
      registry: 'series of the registry',
      label: `values of the label "${this.#labelNames[labelIndex]}"`,
    }[of];
    return new CardinalityError(`Expected at most ${max} ${limit} but ${this.#name} received a label set beyond`);
  }
}

/** A refusal that folds the label of another one too. */
function withLabel(first: Refusal | undefined, next: Refusal): Refusal {
  if (first === undefined) return next;
  const { of, max, labelIndex, fallback, folded } = first;
  return new Refusal(of, max, labelIndex, fallback, [...folded, next.labelIndex]);
}

/** True if a text is one value too many for its label. */
function isBeyond({ refusal, values }: LimitedLabel, text: string): boolean {
  return values.size >= refusal.max && isCounted(text) && !values.has(text);
}

/** True if a text counts towards the limit of its label. */
function isCounted(text: string): boolean {
  return text !== '' && text !== OTHER;
}

/** The number of series by value of a label. */
function countValues(labelIndex: number, all: Iterable<readonly string[]>): ValueCounts {
  const values = new ValueCounts();
  for (const texts of all) count(values, texts[labelIndex], 1);
  return values;
}

function count(values: ValueCounts, text: string, by: 1 | -1): void {
  if (isCounted(text)) values.count(text, by);
}
