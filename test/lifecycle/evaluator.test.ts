/** Evaluators leave no tensors behind, whether the caller has a scope or not. */
import { printedBy } from '../support/child';

jest.setTimeout(60_000);

/** How many more tensors there are after each step than in the beginning. */
const program = (loss: string, target: string): string => `
  const rows = (count) => Array.from({ length: count }, (_, i) => [i % 3, i % 5, 1]);
  const batch = (count) => [rows(count), ${target}];
  const left = {};
  const steps = {
    'a batch': (evaluator) => evaluator.update(...batch(200)),
    'small batches': (evaluator) => { for (let i = 0; i < 20; i++) evaluator.update(...batch(13)); },
    'groups': (evaluator) => evaluator.updateGroups(new Array(70).fill(1), ...batch(70)),
    'a refused batch': (evaluator) => { try { evaluator.update(rows(3), [0]); } catch {} },
    'the background': (evaluator) => Promise.all([evaluator.updateAsync(...batch(70)), evaluator.updateAsync(...batch(5))]),
    'a refused batch in the background': (evaluator) => evaluator.updateAsync(rows(3), [0]).catch(() => {}),
    'an iterable': (evaluator) => evaluator.updateFrom([batch(9), batch(90)]),
    'results': (evaluator) => { evaluator.update(...batch(70)); evaluator.result(); evaluator.state(); },
    'a state': (evaluator) => { evaluator.update(...batch(70)); torch.BatchEvaluator.fromState(evaluator.state(), F.${loss}).result(); },
    'losses': (evaluator) => { evaluator.update(...batch(70)); if (evaluator.keeps) evaluator.losses().dispose(); },
    'another evaluator': (evaluator) => {
      const other = new torch.BatchEvaluator(F.${loss}, {}, evaluator.own).update(...batch(70));
      evaluator.merge(other);
      other.reset();
    },
  };
  (async () => {
    for (const own of [{}, { details: true }, { keepLosses: true, onLosses: () => {} }]) {
      for (const [name, step] of Object.entries(steps)) {
        const evaluator = Object.assign(new torch.BatchEvaluator(F.${loss}, {}, own), { own, keeps: own.keepLosses });
        gc();
        const before = torch.memory().tensors;
        await step(evaluator);
        evaluator.flush().reset();
        const more = torch.memory().tensors - before;
        if (more !== 0) left[name + ' ' + Object.keys(own)] = more;
      }
    }
    console.log(JSON.stringify(left));
  })();
`;

test.each([
  ['crossEntropy', 'Array.from({ length: count }, (_, i) => i % 3)'],
  ['mseLoss', 'rows(count)'],
])('%s', (loss, target) => {
  expect(printedBy(program(loss, target))).toEqual({});
});
