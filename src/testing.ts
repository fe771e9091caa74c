/**
 * What tests take, and nothing else. One line an export.
 */
import { api } from './realm';
import type * as Testing from './testing/index';

const kit: typeof Testing = api.testing();

export const parseExposition: typeof Testing.parseExposition = kit.parseExposition;
