/**
 * Serves programs that import prom-client's file `lib/histogram`: exports the class Histogram itself.
 */
import { Histogram } from '../index';

export = Histogram;
