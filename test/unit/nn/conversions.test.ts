/** Modules converted to other dtypes, devices and modes. */
import * as torch from '../../../lib';
import { refusal } from '../reference/support';
import { Net } from './net';

const { nn } = torch;

describe('conversions', () => {
  test('keep parameters and gradients the same objects', () => {
    const net = new Net();
    net(torch.ones([1, 4]))
      .sum()
      .backward();
    const { scaleBy } = net;
    expect(net.double()).toBe(net);
    expect([net.scaleBy === scaleBy, scaleBy.dtype, scaleBy.grad?.dtype, net.mask.dtype]).toEqual([
      true,
      'float64',
      'float64',
      'float64',
    ]);
    expect([scaleBy.requiresGrad, scaleBy.isLeaf]).toEqual([true, true]);
    net(torch.ones([1, 4], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(net.to('bfloat16').scaleBy.dtype).toBe('bfloat16');
    expect(net.half().float().to({ dtype: 'float64', device: 'cpu' }).mask.dtype).toBe('float64');
    expect(net.to(torch.ones([1])).cpu().mask.dtype).toBe('float32');
  });

  test('leave integers as they are, but for type()', () => {
    const net = new nn.Module();
    net.registerBuffer('count', torch.tensor([1], { dtype: 'int64' }));
    expect(net.double().to('float16').getBuffer('count').dtype).toBe('int64');
    expect(net.type('float32').getBuffer('count').dtype).toBe('float32');
    expect(refusal(() => net.to('int64'))).toMatchObject({ op: 'to', argument: 'dtype' });
  });

  test('to the meta device and back', () => {
    const net = new Net().to('meta');
    expect([net.hidden.weight.isMeta, net.hidden.weight instanceof nn.Parameter]).toEqual([true, true]);
    const state = new Net().stateDict();
    expect(refusal(() => net.loadStateDict(state)).message).toMatch(/assign: true/);
    net.loadStateDict(state, { assign: true });
    expect(net.hidden.weight.isMeta).toBe(false);
    expect(new Net().to('meta').toEmpty({ device: 'cpu' }).hidden.weight.device).toBe('cpu');
  });

  test('zeroGrad clears or fills', () => {
    const net = new Net();
    net(torch.ones([1, 4]))
      .sum()
      .backward();
    net.zeroGrad({ setToNone: false });
    expect(net.scaleBy.grad?.item()).toBe(0);
    net.zeroGrad();
    expect(net.scaleBy.grad).toBe(undefined);
  });

  test('train and eval go through all modules, and through what they override', () => {
    class Frozen extends nn.Linear {
      override train(): this {
        return super.train(false);
      }
    }
    const net = new nn.Sequential(new nn.Linear(1, 1), new Frozen(1, 1));
    expect([...net.eval().modules()].map(({ training }) => training)).toEqual([false, false, false]);
    expect([...net.train().modules()].map(({ training }) => training)).toEqual([true, true, false]);
    expect(refusal(() => net.train(1 as never))).toMatchObject({ argument: 'mode' });
  });
});
