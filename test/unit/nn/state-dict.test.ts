/** State dicts of modules: what they hold, and how they are loaded. */
import * as torch from '../../../lib';
import { refusal } from '../reference/support';
import { Net } from './net';

const { nn } = torch;

describe('state dicts', () => {
  test('hold tensors outside of graphs that share memory, or with keepVars the parameters', () => {
    const net = new Net();
    const state = net.stateDict();
    expect(state.get('scale_by')?.requiresGrad).toBe(false);
    torch.noGrad(() => net.scaleBy.add_(1));
    expect(state.get('scale_by')?.item()).toBe(2);
    expect(net.stateDict({ keepVars: true, prefix: 'net.' }).get('net.scale_by')).toBe(net.scaleBy);
    expect([...state._metadata]).toEqual([
      ['', { version: 1 }],
      ['hidden', { version: 1 }],
      ['out_proj', { version: 1 }],
    ]);
  });

  test('are loaded in place, from Maps and objects', () => {
    const [net, other] = [new Net(), new Net()];
    const { weight } = net.hidden;
    expect(net.loadStateDict(other.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(net.hidden.weight).toBe(weight);
    expect(torch.equal(weight, other.hidden.weight)).toBe(true);
    const changed = Object.fromEntries(net.stateDict());
    expect(other.loadStateDict({ ...changed, scale_by: torch.tensor([7]) })).toMatchObject({ missingKeys: [] });
    expect(other.scaleBy.item()).toBe(7);
  });

  test('put in the places of parameters with assign', () => {
    const net = new Net();
    net.hidden.weight.requiresGrad = false;
    const state = new Net().to('float64').stateDict();
    net.loadStateDict(state, { assign: true });
    expect([net.hidden.weight.dtype, net.hidden.weight.requiresGrad, net.scaleBy.requiresGrad]).toEqual([
      'float64',
      false,
      true,
    ]);
    expect([net.mask.dtype, net.mask === state.get('mask')]).toEqual(['float64', true]);
  });

  test('what does not fit is reported whole, and nothing is loaded', () => {
    const net = new Net();
    const before = net.stateDict().get('scale_by')?.item();
    const state = new Map<string, unknown>(new Net().stateDict());
    state.delete('hidden.bias');
    state.set('scale_by', torch.tensor([9]));
    state.set('extra', torch.ones([1]));
    state.set('hidden.extra.deep', torch.ones([1]));
    state.set('hidden.weight', torch.ones([2, 4]));
    state.set('out_proj.weight', 5);
    const error = refusal(() => net.loadStateDict(state as never));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', op: 'loadStateDict' });
    expect(error.message.split('\n\t').slice(1)).toEqual([
      'Missing key(s) in state_dict: "hidden.bias".',
      'Unexpected key(s) in state_dict: "extra", "hidden.extra.deep".',
      'size mismatch for hidden.weight: copying a param with shape torch.Size([2, 4]) from checkpoint, the shape in current model is torch.Size([3, 4]).',
      'While copying the parameter named "out_proj.weight", expected torch.Tensor or Tensor-like object from checkpoint but received 5',
    ]);
    expect(net.scaleBy.item()).toBe(before);
    state.set('out_proj.weight', torch.ones([2, 3]));
    expect(refusal(() => net.loadStateDict(state as never, false)).message).toMatch(/size mismatch/);
    state.delete('hidden.weight');
    expect(net.loadStateDict(state as never, { strict: false })).toEqual({
      missingKeys: ['hidden.weight', 'hidden.bias'],
      unexpectedKeys: ['extra', 'hidden.extra.deep'],
    });
    expect(net.scaleBy.item()).toBe(9);
  });

  test('while a call off the main thread reads a parameter: nothing is loaded', async () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(200, 2000));
    const [first, second] = [...net] as [torch.nn.Linear, torch.nn.Linear];
    const before = first.weight.clone();
    const running = nn.functional.mseLoss.async(second.weight, torch.zeros([2000, 200]));
    const state = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(200, 2000)).stateDict();
    expect(refusal(() => net.loadStateDict(state))).toMatchObject({ code: 'IN_USE' });
    await running;
    expect(torch.equal(first.weight, before)).toBe(true);
    net.loadStateDict(state);
  });

  test('of disposed tensors, of the meta device, and what is none', () => {
    const net = new Net();
    const gone = torch.ones([1]);
    gone.dispose();
    for (const given of [gone, torch.ones([1], { device: 'meta' })]) {
      expect(
        refusal(() => net.loadStateDict({ ...Object.fromEntries(net.stateDict()), scale_by: given })).message,
      ).toMatch(/"scale_by"/);
    }
    for (const given of [undefined, 1, [], new Set()]) {
      expect(refusal(() => net.loadStateDict(given as never))).toMatchObject({ argument: 'stateDict' });
    }
    expect(refusal(() => net.loadStateDict({}, { strickt: false } as never))).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });
});
