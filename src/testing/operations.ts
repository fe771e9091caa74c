/**
 * The type of a mock registry's records: one entry for each call that changed a metric.
 */

/** The kind of call. `setToCurrentTime()` is a `set`; the end of a timer is an `observe` or a `set`. */
export type OperationType = 'inc' | 'dec' | 'set' | 'observe' | 'zero' | 'startTimer' | 'remove' | 'reset';

/** One call that changed a metric. A call that threw is not recorded. */
export interface Operation {
  readonly type: OperationType;
  /** The metric's name. */
  readonly name: string;
  /** Labels as printed, without absent and empty ones. Empty for a `reset`, which affects all series. */
  readonly labels: Readonly<Record<string, string>>;
  /** The added, subtracted, set or observed number; undefined for the other types. */
  readonly value: number | undefined;
  /** Milliseconds since 1970, by the clock of the metrics, which a `MockClock` controls. */
  readonly timestampMs: number;
}
