/**
 * Serves programs that import prom-client's file `lib/pushgateway`: exports the class Pushgateway itself.
 */
import { Pushgateway } from '../index';

export = Pushgateway;
