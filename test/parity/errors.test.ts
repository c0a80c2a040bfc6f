/** What a loss refuses: function and module alike, naming the argument that is meant; and the reference with them. */
import * as torch from '../../lib';
import { DisposedError, NativeError, type TorchError } from '../../lib/errors';
import { type ErrorCase, type Loss, losses } from '../cases';
import { materialised, nativeFunction, refusedByReference } from '../cases/call';
import { quietly } from '../support/conditions';
import { refusal } from '../unit/reference/support';

type Module = new (options: unknown) => { forward(...args: unknown[]): unknown };

quietly();

describe.each(losses)('$name', (loss) => {
  describe.each(loss.errors)('$name', (errorCase) => {
    test('the function', () => {
      const { args, options } = materialised(errorCase);
      const error = refusal(() => nativeFunction(loss)(...args, options));
      check(error, errorCase);
      expect(error.op).toBe(loss.name);
    });

    // Where the module makes parameters itself, its golden vectors call it.
    if (!loss.ownsParameters) {
      test('the module', () => {
        const { [loss.module]: Loss } = torch.nn as unknown as Record<Loss['module'], Module>;
        const { args, options } = materialised(errorCase);
        const error = refusal(() => new Loss(options).forward(...args));
        check(error, ofModule(loss, errorCase));
        expect([loss.name, loss.module]).toContain(error.op);
      });
    }

    if (!errorCase.nativeOnly) {
      test('the reference', () => {
        const error = refusal(() => refusedByReference(loss, errorCase));
        expect({ op: error.op, argument: error.argument }).toEqual({ op: loss.name, argument: errorCase.argument });
        expect(error.code).toBe(errorCase.code === 'UNKNOWN_OPTION' ? 'UNKNOWN_OPTION' : 'INVALID_ARGUMENT');
      });
    }
  });
});

/** The error of the module: an option that only the function has is unknown to it. */
function ofModule({ functionOnly }: Loss, errorCase: ErrorCase): Pick<ErrorCase, 'code' | 'argument'> {
  const { options } = errorCase;
  const argument = functionOnly.find((name) => typeof options === 'object' && options !== null && name in options);
  return argument === undefined ? errorCase : { code: 'UNKNOWN_OPTION', argument };
}

/** The code, the argument, and the words of the one formula; libtorch's own follow where it was what refused. */
function check(error: TorchError, { code, argument }: Pick<ErrorCase, 'code' | 'argument'>): void {
  expect({ code: error.code, argument: error.argument }).toEqual({ code, argument });
  if (code === 'UNKNOWN_OPTION') {
    expect(error.message).toMatch(/^\w+: unknown option '\w+'.*; known options are '/);
    return;
  }
  expect(error.message).toMatch(/^\w+: expected (option )?'\w+' .+, but received .+/s);
  expect(error.message).toContain(`'${argument}'`);
  if (code === 'DISPOSED') expect(error).toBeInstanceOf(DisposedError);
  else if (code !== 'INVALID_ARGUMENT') {
    expect(error).toBeInstanceOf(NativeError);
    expect(error.message).toContain(`(libtorch: ${(error.cause as Error).message})`);
  }
}
