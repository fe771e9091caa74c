// Loads zone.js first, as every Angular server does. It replaces the global `Promise`.

import 'zone.js/node';
