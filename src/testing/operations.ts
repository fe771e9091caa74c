/**
 * What a mock registry records: one entry a call that changed a metric.
 */

/** What was called. `setToCurrentTime()` is a `set`, and what ends a timer an `observe` or `set`, as it has recorded. */
export type OperationType = 'inc' | 'dec' | 'set' | 'observe' | 'zero' | 'startTimer' | 'remove' | 'reset';

/** One call that changed a metric. Calls that were refused are not among them. */
export interface Operation {
  readonly type: OperationType;
  /** The metric's name. */
  readonly name: string;
  /** As they print: absent and empty labels are left out. Of a `reset`, which is of all series, there are none. */
  readonly labels: Readonly<Record<string, string>>;
  /** What was added, subtracted, set or observed; nothing for the other types. */
  readonly value: number | undefined;
  /** Milliseconds since 1970, by the clock that metrics go by. */
  readonly timestampMs: number;
}
