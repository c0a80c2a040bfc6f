// node --require <this file>: a process of the built library that has the simulated devices.
const { join } = require('node:path');

const root = join(__dirname, '..', '..', '..');
require(join(root, 'dist', 'binding', 'load.js')).loadedLibtorch();
const fake = require(join(root, 'build', 'native', 'Test', 'fake-device.node'));
fake.assertOnBadValues(true);
