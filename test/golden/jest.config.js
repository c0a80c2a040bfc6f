/**
 * The golden suite is a jest run of its own. ATen, MKL and OpenMP read the environment once, when libtorch loads, and
 * jest gives its tests a copy of `process.env` that no C library sees: a set-up file would come too late. What is set
 * here, in jest's own process, reaches libtorch there and in every worker.
 */
const base = require('../../jest.config.js');
const { environment } = require('./vectors/manifest.json');

Object.assign(process.env, environment);

/** @type {import('jest').Config} */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/golden'],
  testPathIgnorePatterns: ['/node_modules/'],
};
