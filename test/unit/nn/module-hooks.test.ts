/** Hooks of modules: around forward, and around the backward pass. */
import * as torch from '../../../lib';
import { refusal } from '../reference/support';

const { nn } = torch;

describe('hooks', () => {
  const double = (): torch.nn.Module => {
    class Double extends nn.Module {
      override forward(x: torch.Tensor, { times = 2 } = {}): torch.Tensor {
        return x.mul(times);
      }
    }
    return new Double();
  };
  const one = torch.ones([1]);

  test('before and behind forward, in order, with what they give', () => {
    const net = double();
    const order: string[] = [];
    const before = net.registerForwardPreHook((module, inputs) => {
      order.push(`before ${module === net} ${inputs.length}`);
      return (inputs[0] as torch.Tensor).add(1);
    });
    net.registerForwardHook((_, __, result) => {
      order.push('behind');
      return (result as torch.Tensor).add(10);
    });
    net.registerForwardHook(() => void order.push('first'), { prepend: true });
    expect([net(one).item(), order]).toEqual([14, ['before true 1', 'first', 'behind']]);
    expect(net.forward(one).item()).toBe(2);
    before.remove();
    before.remove();
    expect(net(one).item()).toBe(12);
  });

  test('with keywords apart', () => {
    const net = double();
    net.registerForwardPreHook((_, inputs, keywords) => [inputs, { ...keywords, times: 5 }], { withKwargs: true });
    let seen: unknown;
    net.registerForwardHook(
      (_, __, keywords) => {
        seen = keywords;
      },
      { withKwargs: true },
    );
    expect([net(one).item(), seen]).toEqual([5, { times: 5 }]);
  });

  test('always called', () => {
    class Failing extends nn.Module {
      override forward(): torch.Tensor {
        throw new Error('no');
      }
    }
    const net = new Failing();
    const called: string[] = [];
    net.registerForwardHook(() => void called.push('usual'));
    net.registerForwardHook(() => void called.push('always'), { alwaysCall: true });
    expect(() => net()).toThrow('no');
    expect(called).toEqual(['always']);
  });

  test('what is none', () => {
    expect(refusal(() => double().registerForwardHook(1 as never))).toMatchObject({ argument: 'hook' });
    expect(refusal(() => double().registerForwardPreHook(() => 1, { alwaysCall: true } as never))).toMatchObject({
      code: 'UNKNOWN_OPTION',
    });
  });
});

describe('hooks of the backward pass', () => {
  class Two extends nn.Module<[torch.Tensor, torch.Tensor]> {
    override forward(a: torch.Tensor, b: torch.Tensor): [torch.Tensor, torch.Tensor] {
      return [a.mul(b).mul(2), a.add(1)];
    }
  }
  type Numbers = (number | undefined)[];
  const numbers = (gradients: torch.nn.Gradients): Numbers => gradients.map((gradient) => gradient?.item());

  test('see the gradients of inputs and results; what PyTorch gives, zeros and nothing included', () => {
    const net = new Two();
    const seen: [string, ...Numbers[]][] = [];
    net.registerFullBackwardHook((_, ofInputs, ofResults) => {
      seen.push(['full', numbers(ofInputs), numbers(ofResults)]);
    });
    net.registerFullBackwardPreHook((_, ofResults) => {
      seen.push(['pre', numbers(ofResults)]);
    });
    const a = torch.tensor([2], { dtype: 'float32', requiresGrad: true });
    const b = torch.tensor([3], { dtype: 'float32' });
    const [product, sum] = net(a, b);
    expect(product.gradFn).toBe('BackwardHookFunctionBackward');
    product.backward({ retainGraph: true });
    net(a, b)[0].add(sum).backward();
    expect(seen).toEqual([
      ['pre', [1, undefined]],
      ['full', [6, 0], [1, undefined]],
      ['pre', [1, undefined]],
      ['full', [6, 0], [1, undefined]],
      ['pre', [undefined, 1]],
      ['full', [1, 0], [undefined, 1]],
    ]);
    expect(a.grad?.item()).toBe(13);
  });

  test('change them', () => {
    const net = new nn.Identity();
    const x = torch.tensor([1], { dtype: 'float32', requiresGrad: true });
    const pre = net.registerFullBackwardPreHook((_, [gradient]) => [gradient?.add(1)]);
    const full = net.registerFullBackwardHook((_, [gradient]) => gradient?.mul(5));
    net(x).backward();
    expect(x.grad?.item()).toBe(10);
    pre.remove();
    full.remove();
    expect(net(x)).toBe(x);
  });

  test('gradients that a hook keeps stay', () => {
    const kept: torch.Tensor[] = [];
    const net = new nn.Linear(1, 1);
    net.registerFullBackwardHook((_, ofInputs, ofResults) => {
      kept.push(ofInputs[0] as torch.Tensor, ofResults[0] as torch.Tensor);
    });
    net(torch.ones([1, 1], { requiresGrad: true })).backward();
    expect(kept.map((gradient) => gradient.item())).toEqual([net.weight.item(), 1]);
  });

  test('where no input requires a gradient, and where nothing is recorded', () => {
    const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const net = new nn.Linear(1, 1);
    const seen: Numbers[] = [];
    net.registerFullBackwardHook((_, ofInputs, ofResults) => {
      seen.push(numbers(ofInputs), numbers(ofResults));
    });
    net(torch.ones([1, 1])).backward();
    expect([seen, emitted.mock.calls.length]).toEqual([[[undefined], [1]], 1]);
    emitted.mockRestore();
    expect(torch.noGrad(() => net(torch.ones([1, 1]))).requiresGrad).toBe(false);
  });

  test('that fail, or give what does not fit', () => {
    const x = torch.ones([1], { requiresGrad: true });
    const failing = new nn.Identity();
    failing.registerFullBackwardHook(() => {
      throw new RangeError('no');
    });
    expect(() => failing(x).backward()).toThrow(RangeError);
    const unfit = new nn.Identity();
    unfit.registerFullBackwardPreHook(() => []);
    expect(refusal(() => unfit(x).backward())).toMatchObject({ op: 'Identity' });
  });
});
