/**
 * Serves programs that import prom-client's file `lib/summary`: exports the class Summary itself.
 */
import { Summary } from '../index';

export = Summary;
