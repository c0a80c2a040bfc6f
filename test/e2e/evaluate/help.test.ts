/** The help text of `libtorch-losses evaluate`. */
import { parseEvaluateArguments } from '../../../lib/cli/evaluate/evaluate';
import { evaluate } from '../../support/evaluate-command';

jest.setTimeout(120_000);

describe('--help', () => {
  const { status, stdout, stderr } = evaluate(['--help']);

  test('is printed, whatever else is asked for', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: libtorch-losses evaluate /);
    expect(evaluate(['-h']).stdout).toBe(stdout);
  });

  test('lists every flag that is known, and no other', () => {
    let known: string[] = [];
    try {
      parseEvaluateArguments(['--unknown'], {});
    } catch (error) {
      known = /options are (.*)$/.exec((error as Error).message)?.[1]?.split(', ') ?? [];
    }
    expect(known.length).toBeGreaterThan(10);
    const listed = [...stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag);
    expect(listed.sort()).toEqual(known.sort());
  });

  test('has lines that a terminal shows whole', () => {
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });
});
