/**
 * Serves programs that import prom-client's file `lib/metricAggregators`.
 */
import { aggregators } from '../index';

export { AggregatorFactory } from '../../registry/aggregation';
export { aggregators };
