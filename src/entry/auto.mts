/**
 * Starts the zero-code mode when it is loaded, by `--import` or `import`, and waits until it has started: the application then
 * finds its packages measured.
 */
import { started } from './auto.js';

export { started };

await started;
