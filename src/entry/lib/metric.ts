/**
 * Serves programs that import the file `lib/metric` of prom-client's successor: exports the base class of all metrics.
 */
import { Counter } from '../index';

export const Metric: abstract new (...args: never[]) => object = Object.getPrototypeOf(Counter);
