/**
 * Serves programs that import prom-client's file `lib/gauge`: exports the class Gauge itself.
 */
import { Gauge } from '../index';

export = Gauge;
