/**
 * Serves programs that import prom-client's file `lib/metrics/heapSpacesSizeAndUsed`: exports the collector itself.
 */
import { oneCollector } from '../../../collectors/one-collector';
import { collectDefaultMetrics, Registry } from '../../index';

export = oneCollector(collectDefaultMetrics, Registry, 'heapSpacesSizeAndUsed');
