/** Tests that only some machines can run: elsewhere they are skipped, and the reason is printed. */
import { relative } from 'node:path';

/** `test` where the condition holds, else `test.skip`. */
export function testWhere(holds: boolean, otherwise: string): jest.It {
  if (!holds) explain(otherwise);
  return holds ? test : test.skip;
}

/** `describe` where the condition holds, else `describe.skip`. */
export function describeWhere(holds: boolean, otherwise: string): jest.Describe {
  if (!holds) explain(otherwise);
  return holds ? describe : describe.skip;
}

/** Not by `console`: of a file in which all tests are skipped, jest reports nothing. */
function explain(reason: string): void {
  const { testPath = '' } = expect.getState();
  process.stderr.write(`not run, ${relative(process.cwd(), testPath)}: ${reason}\n`);
}
