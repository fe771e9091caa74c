/**
 * Serves programs that import prom-client's file `lib/defaultMetrics`: exports the function itself.
 */
import { collectDefaultMetrics } from '../index';

export = collectDefaultMetrics;
