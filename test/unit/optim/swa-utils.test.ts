/** Averages of weights: arguments, and what happens to the models. */
import * as torch from '../../../lib';

const { nn } = torch;
const { swaUtils } = torch.optim;

function makeModel(): torch.nn.Sequential {
  return new nn.Sequential(new nn.Linear(2, 2), new nn.BatchNorm1d(2));
}

const normOf = (model: torch.nn.Sequential): torch.nn.BatchNorm1d => [...model.children()][1] as torch.nn.BatchNorm1d;

describe('AveragedModel', () => {
  test('has a copy of its own, which it calls', () => {
    const model = makeModel().eval();
    const averaged = new swaUtils.AveragedModel(model);
    const x = torch.ones([1, 2]);
    expect(String(averaged(x))).toBe(String(model(x)));
    expect([...averaged.parameters()].some((own) => [...model.parameters()].includes(own))).toBe(false);
    expect([...averaged.stateDict().keys()]).toContain('module.0.weight');
    expect([...averaged.stateDict().keys()]).toContain('n_averaged');
    expect(averaged.nAveraged.item()).toBe(0);
    averaged.updateParameters(model);
    expect(averaged.nAveraged.item()).toBe(1);
  });

  test('keeps nothing of an update', () => {
    const model = makeModel();
    const averaged = new swaUtils.AveragedModel(model);
    averaged.updateParameters(model);
    const { tensors } = torch.memory();
    for (let i = 0; i < 5; i++) averaged.updateParameters(model);
    expect(torch.memory().tensors).toBe(tensors);
  });

  test.each<[string, () => unknown, string]>([
    ['no model', () => new swaUtils.AveragedModel(3 as never), "expected 'module' to be an nn.Module"],
    [
      'both',
      () =>
        new swaUtils.AveragedModel(makeModel(), {
          avgFn: swaUtils.getSwaAvgFn(),
          multiAvgFn: swaUtils.getSwaMultiAvgFn(),
        }),
      "option 'multiAvgFn' to be absent where avgFn is given",
    ],
    [
      'no function',
      () => new swaUtils.AveragedModel(makeModel(), { avgFn: 3 as never }),
      "option 'avgFn' to be a function",
    ],
    ['a decay', () => swaUtils.getEmaMultiAvgFn(2), "getEmaMultiAvgFn: expected 'decay' to be a number in [0, 1]"],
    [
      'an update',
      () => new swaUtils.AveragedModel(makeModel()).updateParameters(3 as never),
      "updateParameters: expected 'model'",
    ],
    [
      'a loader',
      () => swaUtils.updateBn(3 as never, makeModel()),
      "updateBn: expected 'loader' to be an iterable of batches",
    ],
    ['a model to update', () => swaUtils.updateBn([], 3 as never), "updateBn: expected 'model' to be an nn.Module"],
  ])('%s is refused', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('updateBn', () => {
  const batches = [torch.ones([3, 2]), torch.zeros([3, 2])];

  test('leaves mode and momentum as they were, also if it fails', () => {
    const model = makeModel().eval();
    const norm = normOf(model);
    swaUtils.updateBn(
      batches.map((batch) => [batch, 'label']),
      model,
    );
    expect([model.training, norm.momentum, norm.numBatchesTracked?.item()]).toEqual([false, 0.1, 2]);
    expect(() => swaUtils.updateBn([torch.ones([3, 7])], model)).toThrow();
    expect([model.training, norm.momentum]).toEqual([false, 0.1]);
  });

  test('takes asynchronous batches', async () => {
    const [model, other] = [makeModel(), makeModel()];
    other.loadStateDict(model.stateDict());
    swaUtils.updateBn(batches, model);
    await swaUtils.updateBn(
      (async function* () {
        yield* batches;
      })(),
      other,
    );
    const mean = (of: torch.nn.Sequential): string => String(normOf(of).runningMean);
    expect(mean(other)).toBe(mean(model));
  });

  test('does nothing to models without batch norms', () => {
    const model = new nn.Sequential(new nn.Linear(2, 2));
    const unread = {
      [Symbol.iterator]: () => {
        throw new Error('read');
      },
    };
    swaUtils.updateBn(unread, model);
    expect(model.training).toBe(true);
  });
});
