/**
 * Removes series whose value has not changed for their time to live. Scrapes find them, off the event loop; what is
 * left to do here is to take them out of the metrics, some hundred at a time.
 */
import { setImmediate } from 'node:timers';
import { refuseOption } from '../errors';
import { onExpired } from '../native/contributor';

/** Series that one turn of the loop removes: a millisecond or two. */
const A_TURN = 250;

/** The series of a metric, as they expire. */
export interface Expiring {
  /** Removes expired series, `max` at the most; returns how many there were. */
  removeExpired(max: number): number;
}

/** Metrics are not kept alive by this; nor are there two entries for one. */
const known = new WeakSet<Expiring>();
const expiring = new Set<WeakRef<Expiring>>();

/** Sees to it that the expired series of a metric are removed. */
export function watchExpiry(series: Expiring): void {
  if (known.has(series)) return;
  known.add(series);
  if (expiring.size === 0) onExpired(removeExpired);
  expiring.add(new WeakRef(series));
}

function removeExpired(): void {
  let left = A_TURN;
  for (const reference of expiring) {
    const series = reference.deref();
    if (series === undefined) expiring.delete(reference);
    else left -= series.removeExpired(left);
    if (left <= 0) {
      setImmediate(removeExpired).unref();
      return;
    }
  }
}

/** @throws {ConfigurationError} `INVALID_CONFIG` for what is no duration */
export function checkedTtl(seconds: unknown): number | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds === 'number' && seconds >= 0 && Number.isFinite(seconds)) return seconds;
  return refuseOption('seconds from 0', 'ttlSeconds', seconds);
}
