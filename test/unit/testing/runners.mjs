// What Node's assert, chai and vitest take for equal, of every pair of pairs.cjs; printed as JSON.
//
//   node runners.mjs <dist>
import assert from 'node:assert';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { equals, iterableEquality, JestChaiExpect } from '@vitest/expect';
import * as chai from 'chai';

const require = createRequire(import.meta.url);
const torch = require(process.argv[2]);
const pairs = require('./pairs.cjs')(torch);
chai.use(JestChaiExpect);

const holds = (check) => (a, b) => {
  try {
    check(a, b);
    return true;
  } catch (error) {
    if (error.name === 'AssertionError') return false;
    throw error;
  }
};
const runners = {
  'assert.deepStrictEqual': holds(assert.deepStrictEqual),
  'assert.deepEqual': holds(assert.deepEqual),
  'assert.partialDeepStrictEqual': assert.partialDeepStrictEqual && holds(assert.partialDeepStrictEqual),
  'util.isDeepStrictEqual': isDeepStrictEqual,
  'chai deep.equal': holds((a, b) => chai.expect(a).to.deep.equal(b)),
  'vitest equals': (a, b) => equals(a, b, [iterableEquality]),
  'vitest toEqual': holds((a, b) => chai.expect(a).toEqual(b)),
  'vitest toStrictEqual': holds((a, b) => chai.expect(a).toStrictEqual(b)),
};

const wrong = [];
for (const [kind, named] of Object.entries(pairs)) {
  for (const [name, [a, b]] of Object.entries(named)) {
    for (const [runner, compare] of Object.entries(runners)) {
      if (compare !== undefined && compare(a, b) !== (kind === 'equal')) wrong.push(`${runner}: ${kind}: ${name}`);
    }
  }
}
console.log(JSON.stringify({ wrong }));
