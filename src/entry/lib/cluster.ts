/**
 * Serves programs that import prom-client's file `lib/cluster`: exports the class AggregatorRegistry itself.
 */
import { AggregatorRegistry } from '../index';

export = AggregatorRegistry;
