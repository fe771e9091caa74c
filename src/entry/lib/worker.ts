/**
 * Serves programs that import the file `lib/worker` of prom-client's successor: exports the class WorkerRegistry itself.
 */
import { WorkerRegistry } from '../index';

export = WorkerRegistry;
