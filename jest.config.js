/** TypeScript 7 has no compiler API that a transform could call, so swc strips the types; `tsc` checks them apart. */
/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  // The golden suite runs on pinned kernels, in a run of its own: test/golden/jest.config.js.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/golden/'],
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
