/**
 * Removes series whose value has not changed for their time to live. Scrapes find them outside the event loop; here
 * they are removed from their metrics, a hundred or so in each turn of the loop.
 */
import { setTimeout } from 'node:timers';
import { realMs } from '../clock';
import { refuseOption } from '../errors';
import { onExpired } from '../native/contributor';
import { quietly } from '../warnings';

/** Series that are removed before the clock is read again: a tenth of a millisecond. */
const BATCH = 32;
/** The time after which the event loop gets a turn. */
const TURN_MS = 0.5;

/** The series of a metric, as this module sees them. */
export interface Expiring {
  /** Removes at most `max` expired series; returns how many it removed. */
  removeExpired(max: number): number;
}

/** Every set of series in `expiring`. Weak, like the references there, so that metrics can be collected. */
const known = new WeakSet<Expiring>();
const expiring = new Set<WeakRef<Expiring>>();

/** Removes the expired series of a metric from now on. */
export function watchExpiry(series: Expiring): void {
  if (known.has(series)) return;
  known.add(series);
  // In a microtask: test runners report handles that a test's own call creates, though this one keeps nothing alive.
  if (expiring.size === 0) void Promise.resolve().then(() => quietly(() => onExpired(callback)));
  expiring.add(new WeakRef(series));
}

function removeExpired(): void {
  const end = realMs() + TURN_MS;
  for (const reference of expiring) {
    const series = reference.deref();
    if (series === undefined) {
      expiring.delete(reference);
      continue;
    }
    while (series.removeExpired(BATCH) === BATCH) {
      if (realMs() < end) continue;
      // A timer, because a loop without other work sleeps through an immediate that does not keep the process alive.
      setTimeout(callback, 1).unref();
      return;
    }
  }
}

/** Called by the addon and by a timer: an error would end the process. */
const callback = () => void quietly(removeExpired);

/** Checks a time to live in seconds. @throws {ConfigurationError} `INVALID_CONFIG` for an invalid duration */
export function checkedTtl(seconds: unknown): number | undefined {
  if (seconds === undefined) return undefined;
  if (typeof seconds === 'number' && seconds >= 0 && Number.isFinite(seconds)) return seconds;
  return refuseOption('seconds from 0', 'ttlSeconds', seconds);
}
