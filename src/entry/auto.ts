/**
 * Starts the zero-code mode when it is loaded, by `--require` or `require()`.
 */
import { start } from '../auto/start';

/** Resolves when the exporter listens, or has said why it does not, and the application's packages are measured. */
export const started: Promise<void> = start();
