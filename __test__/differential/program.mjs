// Runs one program on several clients in step, and compares what each step returns or throws. While it runs it writes
// the program down as code, which is what a failure shows.

import { isDeepStrictEqual } from 'node:util';
import { literal, notation } from './notation.mjs';
import { Scene } from './scene.mjs';

void [isDeepStrictEqual, literal, notation, Scene];
