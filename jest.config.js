/** TypeScript 7 has no compiler API that a transform could call, so swc strips the types; `tsc` checks them apart. */
/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Of two processors jest would use one.
  maxWorkers: '100%',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // Runs of their own: test/golden/jest.config.js on pinned kernels, test/device/jest.config.js on simulated devices.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/golden/', '<rootDir>/test/device/'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^libtorch-losses$': '<rootDir>/lib/index.ts',
    '^libtorch-losses/reference$': '<rootDir>/lib/reference/index.ts',
  },
};
