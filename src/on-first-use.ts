/**
 * Makes a recorder when it is first used, because the program may register the same metrics with other buckets until then.
 */
import { quietly } from './warnings';

/** Calls a function with the recorder. Errors become warnings. */
export type WithRecorder<R> = (use: (recorder: R) => void) => void;

/** @param make registers the metrics. If it throws, the registry refuses them: one warning is enough */
export function onFirstUse<R>(make: () => R): WithRecorder<R> {
  let made: R | undefined;
  let isRefused = false;
  return (use) => {
    if (isRefused) return;
    quietly(() => {
      if (made === undefined) {
        isRefused = true;
        made = make();
        isRefused = false;
      }
      use(made);
    });
  };
}
