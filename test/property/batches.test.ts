/** However data is cut into batches and shared out among evaluators, it has one result. */
import * as fc from 'fast-check';
import * as torch from '../../lib';
import { type Evaluated, evaluatedLosses, evaluatedNames, feed, inBatches, rowCount } from '../support/batches';
import { expectSame, holds } from './setup';

const { BatchEvaluator } = torch;

/** Its matrix products round by the number of rows. */
const names = evaluatedNames.filter((name) => !name.startsWith('linearCrossEntropy'));

const cut = fc.record({
  name: fc.constantFrom(...names),
  sizes: fc.array(fc.integer({ min: 0, max: 80 }), { minLength: 1, maxLength: 8 }).map((sizes) => [...sizes, rowCount]),
  /** After how many batches a new evaluator goes on. */
  shards: fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }),
});

function evaluator({ description, options }: Evaluated, keepLosses = false) {
  return new BatchEvaluator(description.loss, options, { keepLosses, details: true });
}

test('any batches have the losses and the result of one', () => {
  const losses = new Map(evaluatedLosses('float32').map((evaluated) => [evaluated.name, evaluated]));
  holds(
    cut,
    ({ name, sizes }) => {
      const evaluated = losses.get(name) as Evaluated;
      const whole = feed(evaluator(evaluated, true), inBatches(evaluated, [rowCount]));
      const parts = feed(evaluator(evaluated, true), inBatches(evaluated, sizes));
      expectSame(name, parts.losses(), whole.losses());
      expect(parts.result()).toEqual(whole.result());
    },
    150,
  );
});

test('any shards, merged, have the result of one', () => {
  const losses = new Map(evaluatedLosses('float64').map((evaluated) => [evaluated.name, evaluated]));
  holds(
    cut,
    ({ name, sizes, shards }) => {
      const evaluated = losses.get(name) as Evaluated;
      const whole = feed(evaluator(evaluated), inBatches(evaluated, [rowCount])).result();
      const parts = [evaluator(evaluated)];
      for (const [i, batch] of [...inBatches(evaluated, sizes)].entries()) {
        if (shards[i % shards.length]) parts.push(evaluator(evaluated));
        (parts.at(-1) as (typeof parts)[0]).update(...(batch as never[]));
      }
      const merged = parts.reduce((all, part) => {
        const state = JSON.parse(JSON.stringify(part.state()));
        const { description, options } = evaluated;
        return all.merge(BatchEvaluator.fromState(state, description.loss, options, { details: true }));
      }, evaluator(evaluated));
      if (evaluated.description.lossesOf === 'samples') {
        expect(merged.result()).toEqual(whole);
        return;
      }
      const { loss, count, ignored, nan, worst } = merged.result();
      expect({ count, ignored, nan }).toEqual({ count: whole.count, ignored: whole.ignored, nan: whole.nan });
      // The last elements of a shard are computed by other instructions than those within one.
      expect(Math.abs(loss - whole.loss)).toBeLessThanOrEqual(1e-14 * Math.abs(whole.loss));
      expect(worst?.map(({ index }) => index)).toEqual(whole.worst?.map(({ index }) => index));
    },
    150,
  );
});
