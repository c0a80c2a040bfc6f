/**
 * The suite on simulated devices is a jest run of its own: once libtorch knows them, they stay for the rest of
 * the process, and they have to be there before its first backward pass.
 */
const base = require('../../jest.config.js');

/** @type {import('jest').Config} */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/device'],
  testPathIgnorePatterns: ['/node_modules/'],
};
