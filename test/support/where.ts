/** Tests that only some machines can run: elsewhere they are skipped, and the reason is printed. */

/** `test` where the condition holds, else `test.skip`. */
export function testWhere(holds: boolean, otherwise: string): jest.It {
  if (!holds) console.log(`not run: ${otherwise}`);
  return holds ? test : test.skip;
}

/** `describe` where the condition holds, else `describe.skip`. */
export function describeWhere(holds: boolean, otherwise: string): jest.Describe {
  if (!holds) console.log(`not run: ${otherwise}`);
  return holds ? describe : describe.skip;
}
