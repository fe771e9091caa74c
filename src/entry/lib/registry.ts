/**
 * Serves programs that import prom-client's file `lib/registry`: exports the class Registry itself.
 */
import { Registry } from '../index';

export = Registry;
