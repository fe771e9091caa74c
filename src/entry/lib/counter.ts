/**
 * Serves programs that import prom-client's file `lib/counter`: exports the class Counter itself.
 */
import { Counter } from '../index';

export = Counter;
